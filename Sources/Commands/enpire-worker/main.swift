// enpire-worker: runs one step in a process of its own, started by `enpire`. It links what is heavy (OpenCV, libtorch, MuJoCo).

import Foundation
import JSON
import Steps

let arguments = Array(CommandLine.arguments.dropFirst())
switch (arguments.first, arguments.count) {
case ("kinds", 1): print(Worker.catalogue.compact)
case ("recipe", 2...): print(RecipeFile.answer(Array(arguments.dropFirst())).compact)
case ("seeds", 4):
  do { print(try Worker.seeds(purpose: arguments[1], trials: arguments[2], paired: arguments[3]).compact) } catch {
    print(error)
    exit(1)
  }
case ("reset", 2):
  do { try StationReset.run(try JSON(parsing: arguments[1])) } catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(Worker.exitCode(of: error))
  }
case ("cache", 1): CacheHelper.run()
case ("post", 1): PostHelper.run()
case ("label", 2):
  do {
    var labelling = try Labelling(Labelling.Request(json: JSON(parsing: arguments[1])))
    try labelling.run { FileHandle.standardOutput.write(Data(($0 + "\n").utf8)) }
  } catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(1)
  }
case ("run", 2):
  do { try Worker.run(requestAt: arguments[1]) } catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(Worker.exitCode(of: error))
  }
default:
  let usage =
    "usage: enpire-worker kinds | recipe … | seeds PURPOSE TRIALS PAIRED | run REQUEST | label REQUEST | reset STATION | cache | post"
    + "   (started by enpire; see 'enpire --help')\n"
  FileHandle.standardError.write(Data(usage.utf8))
  exit(64)
}
