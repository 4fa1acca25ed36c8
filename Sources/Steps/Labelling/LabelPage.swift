// The labelling page: one clip at a time, a strip of its labels, its contact sheet. From the frame shown on, a key says what is seen.

enum LabelPage {
  static let html = """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><title>enpire label</title><meta name="viewport" content="width=device-width">
    <style>
    :root { color-scheme: light dark; --s: #28a046; --f: #cd3c32; --a: #969696; }
    body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1060px; padding: 1rem; }
    h1 { font-size: 1.1rem; margin: 0 0 .6rem; } h1 span { font-weight: normal; opacity: .7; }
    main { display: grid; grid-template-columns: minmax(0, 480px) 1fr; gap: 1.2rem; }
    #frame { width: 100%; aspect-ratio: 1; object-fit: contain; background: #0002; image-rendering: pixelated; display: block; }
    #strip { position: relative; height: 26px; background: repeating-linear-gradient(45deg, #8883 0 6px, #8881 6px 12px); margin: .5rem 0; cursor: pointer; }
    #strip i { position: absolute; top: 0; bottom: 0; } #strip b { position: absolute; top: -3px; bottom: -3px; width: 3px; background: currentColor; }
    .success { background: var(--s); } .failure { background: var(--f); } .ambiguous { background: var(--a); }
    button { font: inherit; padding: .3rem .7rem; } kbd { border: 1px solid #8888; border-radius: 4px; padding: 0 .35em; font: .9em ui-monospace, monospace; }
    .row { display: flex; gap: .4rem; flex-wrap: wrap; align-items: center; margin: .5rem 0; }
    .row button i { display: inline-block; width: .7em; height: .7em; margin-right: .35em; border-radius: 2px; }
    ol { padding: 0; margin: .4rem 0; list-style: none; max-height: 16rem; overflow: auto; } li { padding: .15rem .4rem; cursor: pointer; }
    li.here { background: #8883; font-weight: 600; } li small { opacity: .7; float: right; }
    #sheet { width: 100%; margin-top: 1rem; } #said { min-height: 1.4em; } .bad { color: var(--f); }
    @media (max-width: 760px) { main { grid-template-columns: 1fr; } }
    </style></head><body>
    <h1>enpire label <span id="about"></span></h1>
    <main><section>
    <img id="frame" alt="The clip's frame"><div id="strip" role="slider" aria-label="Frame" tabindex="0"></div>
    <div class="row"><button data-key=" ">play</button><button data-key="ArrowLeft">&larr;</button><button data-key="ArrowRight">&rarr;</button>
    <output id="place"></output></div>
    </section><section>
    <p>From the frame shown on, to the end or until another key is pressed later:</p>
    <div class="row">
    <button data-key="s"><i class="success"></i><kbd>s</kbd> success</button>
    <button data-key="f"><i class="failure"></i><kbd>f</kbd> failure</button>
    <button data-key="a"><i class="ambiguous"></i><kbd>a</kbd> ambiguous</button></div>
    <div class="row"><button data-key="u"><kbd>u</kbd> undo</button><button data-key="Backspace"><kbd>&lArr;</kbd> clear from here</button>
    <button id="end">end</button></div>
    <p><kbd>&larr;</kbd> <kbd>&rarr;</kbd> a frame, with <kbd>shift</kbd> ten; <kbd>space</kbd> plays; <kbd>p</kbd> <kbd>n</kbd> the clip before, after.</p>
    <p id="said" role="status"></p><h2 style="font-size:1rem">Clips</h2><ol id="clips"></ol>
    </section></main>
    <img id="sheet" alt="Contact sheet of the clip">
    <script>
    "use strict";
    const $ = id => document.getElementById(id);
    let state, clip = 0, frame = 0, timer = null, past = [];
    const here = () => state.clips[clip];
    function show() {
      const c = here();
      $("frame").src = `frame/${clip}/${frame}.png`;
      for (let k = 1; k <= 3; k++) if (frame + k < c.frames) new Image().src = `frame/${clip}/${frame + k}.png`;
      const label = (c.spans.find(s => s.from <= frame && frame < s.to) || {}).label || "no label";
      $("place").textContent = `frame ${frame} of 0…${c.frames - 1}, ${(frame / c.fps).toFixed(2)} s: ${label}`;
      $("strip").replaceChildren(...c.spans.map(s => {
        const bar = document.createElement("i");
        bar.className = s.label; bar.title = `${s.label} ${s.from}…${s.to - 1}`;
        bar.style.left = 100 * s.from / c.frames + "%"; bar.style.width = 100 * (s.to - s.from) / c.frames + "%";
        return bar;
      }));
      const mark = document.createElement("b"); mark.style.left = `calc(${100 * frame / c.frames}% - 1px)`; $("strip").append(mark);
      $("clips").replaceChildren(...state.clips.map((one, i) => {
        const item = document.createElement("li"), note = document.createElement("small");
        const labelled = one.spans.reduce((n, s) => n + s.to - s.from, 0);
        note.textContent = labelled ? `${Math.round(100 * labelled / one.frames)} %` : "none";
        item.append(one.clip, note); item.className = i === clip ? "here" : ""; item.onclick = () => go(i);
        return item;
      }));
    }
    function go(to) { stop(); clip = Math.max(0, Math.min(state.clips.length - 1, to)); frame = 0; past = []; sheet(); show(); }
    function move(by) { frame = Math.max(0, Math.min(here().frames - 1, frame + by)); show(); }
    function stop() { clearInterval(timer); timer = null; }
    function play() { timer ? stop() : timer = setInterval(() => frame + 1 < here().frames ? move(1) : stop(), 1000 / here().fps); }
    function sheet() { $("sheet").src = `sheet/${clip}?${Date.now()}`; }
    async function set(spans) {
      const c = here();
      try {
        const answer = await fetch("labels", { method: "POST", body: JSON.stringify({ clip: c.clip, spans }) });
        if (!answer.ok) throw new Error(await answer.text());
        c.spans = spans; $("said").className = ""; $("said").textContent = `written to ${state.file}`; sheet();
      } catch (error) { $("said").className = "bad"; $("said").textContent = "not written: " + error.message; }
      show();
    }
    function mark(label) {
      const c = here();
      past.push(c.spans);
      const kept = c.spans.filter(s => s.from < frame).map(s => ({ ...s, to: Math.min(s.to, frame) }));
      const last = kept[kept.length - 1];
      if (label && last && last.label === label && last.to === frame) last.to = c.frames;
      else if (label) kept.push({ from: frame, to: c.frames, label });
      set(kept);
    }
    function key(name, shift) {
      switch (name) {
      case "s": mark("success"); break; case "f": mark("failure"); break; case "a": mark("ambiguous"); break;
      case "Backspace": mark(null); break; case "u": if (past.length) set(past.pop()); break;
      case "ArrowLeft": stop(); move(shift ? -10 : -1); break; case "ArrowRight": stop(); move(shift ? 10 : 1); break;
      case " ": play(); break; case "n": go(clip + 1); break; case "p": go(clip - 1); break; default: return false;
      }
      return true;
    }
    addEventListener("keydown", e => { if (!e.ctrlKey && !e.metaKey && !e.altKey && key(e.key, e.shiftKey)) e.preventDefault(); });
    document.querySelectorAll("[data-key]").forEach(b => b.onclick = () => { key(b.dataset.key); b.blur(); });
    $("strip").onclick = e => { stop(); frame = Math.floor(e.offsetX / $("strip").clientWidth * here().frames); move(0); };
    $("end").onclick = async () => { await fetch("end", { method: "POST" }); document.body.textContent = "The labels are in " + state.file + "."; };
    fetch("clips").then(a => a.json()).then(s => {
      state = s; $("about").textContent = `criterion ${s.criterion}, by ${s.by || "nobody named"}, to ${s.file}`; go(0);
    });
    </script></body></html>
    """
}
