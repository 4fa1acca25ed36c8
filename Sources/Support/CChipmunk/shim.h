// What Swift cannot import of Chipmunk, and its greeting kept off the program's output.
#pragma once
#include <chipmunk/chipmunk.h>
#include <stdio.h>

// A space, made without the line that a build with assertions prints to stdout at the first one. C's own stream is swapped,
// never the file descriptor, so other writers of the process lose nothing. Call it from one thread at a time.
static inline cpSpace *enpire_space_new(int first) {
  FILE *silence = first ? fopen("/dev/null", "w") : NULL;
  if (!silence) return cpSpaceNew();
  FILE *out = stdout, *err = stderr;
  fflush(out);
  stdout = silence;
  stderr = silence;
  cpSpace *space = cpSpaceNew();
  stdout = out;
  stderr = err;
  fclose(silence);
  return space;
}

static inline cpShape *enpire_polygon_new(cpBody *body, int count, const cpVect *vertices) {
  return cpPolyShapeNew(body, count, vertices, cpTransformIdentity, 0);
}
