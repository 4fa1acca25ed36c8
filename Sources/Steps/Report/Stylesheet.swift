// The page's looks: light and dark, screen and paper. Colours that mean something are told apart by shape or word as well.

enum Stylesheet {
  static let css: HTML = """
    :root{--ground:#fff;--panel:#f5f6f8;--ink:#1c2127;--soft:#5a6470;--line:#d9dee4;--accent:#1f5fbf;--good:#12805c;--bad:#c2410c;
    --wait:#8b95a1;--kept:#12805c;--dropped:#8b95a1;--lent:#8e44ad;--tint:#e6eefb}
    @media (prefers-color-scheme:dark){:root{--ground:#14171b;--panel:#1d2127;--ink:#e6e9ed;--soft:#9aa4b0;--line:#333a43;--accent:#7fb0ff;
    --good:#4cc79b;--bad:#ff8a5c;--wait:#77828f;--kept:#4cc79b;--dropped:#77828f;--lent:#c99be0;--tint:#20304a}img{filter:brightness(.88)}}
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
    body{margin:0 auto;padding:1.5rem clamp(1rem,3vw,2.5rem) 4rem;max-width:80rem;background:var(--ground);color:var(--ink);
    font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
    h1{font-size:2rem;line-height:1.15;margin:.1rem 0 1rem}h2{font-size:1.35rem;margin:0 0 .7rem}h3{font-size:1.05rem;margin:1.6rem 0 .5rem}
    p{margin:.5rem 0;max-width:52rem}a{color:var(--accent)}
    .kicker{color:var(--soft);letter-spacing:.08em;text-transform:uppercase;font-size:.75rem;margin:0}
    .verdict{font-size:1.2rem;line-height:1.45}.verdict b{white-space:nowrap}
    .soft,figcaption,caption{color:var(--soft);font-size:.875rem}
    nav{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:1.5rem 0 0;padding:.6rem 0;border:solid var(--line);border-width:1px 0;font-size:.9rem}
    nav a{text-decoration:none}nav a:hover{text-decoration:underline}
    section{margin-top:2.8rem}
    .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.6rem,1fr));gap:.75rem;margin:1.2rem 0 0;padding:0}
    .cards div{background:var(--panel);border-radius:.5rem;padding:.65rem .9rem}
    .cards dt{color:var(--soft);font-size:.8rem}.cards dd{margin:0;font-size:1.2rem;font-weight:600;line-height:1.3;white-space:nowrap}
    .cards dd+dd{font-size:.8rem;font-weight:400;color:var(--soft);white-space:normal}
    .notice{border-left:.25rem solid var(--bad);background:var(--panel);padding:.5rem .9rem;margin:1rem 0;max-width:none}
    .scroll{overflow-x:auto;margin:.8rem 0}
    table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;max-width:100%}
    caption{text-align:left;padding:.2rem 0 .4rem}
    th,td{padding:.32rem 1.1rem .32rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
    thead th{color:var(--soft);font-weight:600;border-bottom-width:2px;white-space:nowrap;vertical-align:bottom}
    tbody th{font-weight:500;white-space:nowrap}.n{text-align:right;white-space:nowrap}.w{min-width:14rem;white-space:normal}
    tbody th.w{white-space:normal}td.p{vertical-align:middle}td.p svg{max-width:none}.t{white-space:nowrap}
    tr.group th{color:var(--soft);font-weight:600;padding-top:.9rem}
    code{font:.85em ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
    pre{background:var(--panel);padding:.7rem .9rem;border-radius:.5rem;overflow-x:auto}
    dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.2rem;font-size:.9rem;margin:.8rem 0}
    dl.facts dt{color:var(--soft)}dl.facts dd{margin:0;overflow-wrap:anywhere}
    details{margin:.8rem 0}summary{cursor:pointer;color:var(--accent);font-size:.9rem}
    figure{margin:1rem 0}figcaption{margin-top:.3rem}
    .films{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));gap:1rem}
    .films figure{margin:0}.films img{display:block;width:100%;height:auto;border-radius:.35rem;border:1px solid var(--line)}
    .films b.good::before{content:"✓ "}.films b.bad::before{content:"✗ "}
    .good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}
    .plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));gap:1rem 1.5rem}.plots figure{margin:0}
    svg{display:block;max-width:100%;height:auto}svg.wide{width:100%;max-width:none}.pan{overflow-x:auto}
    svg text{fill:var(--ink);font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
    svg text.soft{fill:var(--soft);font-size:11px}
    svg .grid{stroke:var(--line);stroke-width:1}svg .axis{stroke:var(--soft);stroke-width:1}
    svg .curve{fill:none;stroke:var(--accent);stroke-width:1.8;stroke-linejoin:round}svg .curve.faint{stroke:var(--dropped);stroke-width:1.1;opacity:.7}
    svg .edge{fill:none;stroke:var(--wait);stroke-width:1.3}svg .borrowed{stroke:var(--lent);stroke-dasharray:5 4;stroke-width:1.6}
    svg .box{fill:var(--panel);stroke:var(--line)}
    svg .fill-done,svg .fill-keep{fill:var(--good)}svg .fill-failed,svg .fill-crash{fill:var(--bad)}
    svg .fill-skipped,svg .fill-waiting,svg .fill-ready,svg .fill-running,svg .fill-pending{fill:var(--wait)}svg .fill-discard{fill:var(--dropped)}
    svg .ring{stroke-width:2;fill:var(--ground)}svg .ring-keep{stroke:var(--kept);fill:var(--kept)}svg .ring-discard{stroke:var(--dropped)}
    svg .ring-pending{stroke:var(--wait);stroke-dasharray:2 2}svg .cross{stroke:var(--bad);stroke-width:2.5;fill:none}
    svg .whisker{stroke:var(--soft);stroke-width:1.3}svg .band{fill:var(--accent);opacity:.28}svg .dot{fill:var(--accent)}
    svg .band.search{fill:var(--wait)}svg .dot.search{fill:var(--soft)}
    svg .bar{fill:var(--accent);opacity:.75}svg .bar.sample{fill:var(--good)}svg .bar.external{fill:var(--lent)}svg .bar.broken{fill:var(--bad)}
    @media (max-width:40rem){body{padding-top:1rem}h1{font-size:1.6rem}.verdict{font-size:1.05rem}dl.facts{grid-template-columns:1fr;gap:0 0}dl.facts dd{margin-bottom:.5rem}}
    @media print{:root{--ground:#fff;--panel:#f5f6f8;--ink:#000;--soft:#444;--line:#ccc;--accent:#1f5fbf;--good:#12805c;--bad:#c2410c;--wait:#777;
    --kept:#12805c;--dropped:#777;--lent:#8e44ad}body{max-width:none;padding:0;font-size:10pt}nav,summary{display:none}
    .scroll,.pan{overflow:visible}tr,figure,.cards div{break-inside:avoid}h2,h3{break-after:avoid}section{margin-top:1.6rem}img{filter:none}}

    """
}
