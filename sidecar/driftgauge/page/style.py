"""How pages look: on a desk, on a phone, on paper, in the light and in the dark. This room is pure."""

from driftgauge.page.markup import Markup

STYLE = Markup("""
:root{--paper:#fff;--ground:#f4f5f7;--ink:#1b1f24;--soft:#57606a;--rule:#d6dae0;--reference:#6f87a6;--area:#b9c8db;
--window:#c2410c;--alarm:#b42318;--alarm-ground:#fdecea;--well:#1a6e3c;--well-ground:#e6f4ea;--link:#0b5cad;
color-scheme:light dark}
@media screen and (prefers-color-scheme:dark){:root{--paper:#1b2027;--ground:#12161b;--ink:#e8ebef;--soft:#a5afba;
--rule:#373f49;--reference:#8ea6c6;--area:#3b4d66;--window:#ff9d5c;--alarm:#ff9189;--alarm-ground:#43211f;--well:#7fd19b;
--well-ground:#1c3526;--link:#7fb8f5}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1080px;margin:0 auto;padding:24px 20px}
footer{max-width:1080px;margin:0 auto;padding:0 20px 24px;color:var(--soft);font-size:13px}
h1{font-size:26px;line-height:1.2;margin:0 0 16px;overflow-wrap:anywhere}
h2{font-size:20px;margin:32px 0 12px}
h3{font-size:18px;line-height:1.3;margin:0;overflow-wrap:anywhere}
a{color:var(--link)}
a:focus-visible,summary:focus-visible{outline:2px solid var(--link);outline-offset:2px}
nav{margin:0 0 8px}
code{font-size:12px;overflow-wrap:anywhere}
.summary,.feature,.overview{background:var(--paper);border:1px solid var(--rule);border-radius:10px}
.summary{padding:16px 20px;border-left-width:6px}
.summary.drift{border-left-color:var(--alarm)}
.summary.ok{border-left-color:var(--well)}
.summary p{margin:0}
.summary strong{font-size:17px}
.summary dl{margin:12px 0 0}
.movers{padding-top:12px}
ol,ul{margin:4px 0 0;padding-left:24px}
.notes{margin-top:12px;color:var(--soft)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 16px;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.badge{display:inline-block;padding:1px 9px;border-radius:99px;font-size:13px;font-weight:600;white-space:nowrap;
border:1px solid currentColor}
.badge.drift{color:var(--alarm);background:var(--alarm-ground)}
.badge.ok{color:var(--well);background:var(--well-ground)}
.badge.unknown{color:var(--soft)}
table{border-collapse:collapse;width:100%}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{padding:5px 8px;text-align:right;font-weight:400;vertical-align:middle}
th:first-child{text-align:left;overflow-wrap:anywhere}
thead th{color:var(--soft);font-size:13px;white-space:nowrap}
tbody tr{border-top:1px solid var(--rule)}
.overview{border-collapse:separate;border-spacing:0;margin:16px 0 0;padding:6px 12px 10px}
.overview tbody th,.overview tbody td{border-top:1px solid var(--rule)}
.overview tbody th{font-weight:600;min-width:7em}
.overview td:nth-child(2),.overview th:nth-child(2){text-align:left}
.models td,.models th{text-align:left;vertical-align:top}
.overview td{white-space:nowrap}
.models td{white-space:normal}
.quiet{color:var(--soft)}
.meter{width:24%;min-width:64px}
.meter div{position:relative;height:10px;background:var(--ground);border:1px solid var(--rule);border-radius:2px}
.meter i,.meter u{position:absolute;top:-1px;bottom:-1px}
.meter i{left:0;border-radius:2px}
.meter u{width:2px;top:-5px;bottom:-5px;margin-left:-1px;background:var(--ink)}
.legend{margin:20px 0 8px;color:var(--soft)}
.sample{display:inline-block;width:22px;height:12px;vertical-align:-1px;margin-right:2px}
.sample.reference{background:var(--area);border:1px solid var(--reference)}
.sample.window{border-top:3px solid var(--window);height:4px;vertical-align:3px}
.sample.window{margin-left:12px}
.feature{margin:12px 0;padding:16px 20px;break-inside:avoid}
.feature header{display:flex;gap:12px;align-items:baseline;justify-content:space-between}
.reading{margin:4px 0 12px}
.columns{display:grid;grid-template-columns:minmax(0,1.15fr) minmax(0,1fr);gap:8px 32px;align-items:start}
figure{margin:0}
svg{display:block;width:100%;max-width:500px;height:auto}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--soft)}
svg .middle{text-anchor:middle}
svg .end{text-anchor:end}
svg .caption{font-size:11.5px}
svg .label{font-weight:700;fill:var(--ink);stroke:var(--paper);stroke-width:4px;paint-order:stroke;
stroke-linejoin:round}
.area{fill:var(--area);stroke:var(--reference);stroke-width:1}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.reference.line{stroke:var(--reference);stroke-dasharray:5 2.5}
.window.line{stroke:var(--window)}
.grid{stroke:var(--rule);stroke-width:1;opacity:.55}
.base{stroke:var(--soft);stroke-width:1}
.place{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 3}
.gap{stroke:var(--ink);stroke-width:2.5}
.tests{margin:0 0 12px;font-size:14px}
.tests td{white-space:nowrap}
.tests th:first-child,.tests td:first-child{padding-left:0}
.tests .alarm td:last-child{color:var(--alarm);font-weight:600}
.facts dl{font-size:14px}
details{margin-top:8px}
summary{cursor:pointer;color:var(--link);font-size:14px}
.bars,.deciles{font-size:14px;margin-top:6px}
.bars th:first-child{width:32%;min-width:6.5em;padding-left:0}
.bars td,.bars th,.deciles td,.deciles th{padding:3px 8px}
.bars td:nth-child(n+3){white-space:nowrap}
.drawn{width:40%;text-align:left}
.drawn i{display:block;height:7px;min-width:1px}
.drawn i.reference{background:var(--area);border:1px solid var(--reference)}
i.window{background:repeating-linear-gradient(135deg,var(--window) 0 4px,transparent 4px 6px);
border:1px solid var(--window)}
@media(max-width:700px){main{padding:16px 12px}footer{padding:0 12px 16px}h1{font-size:22px}
.spare,.overview th:nth-child(n+6){display:none}.overview{padding:4px 4px 8px}.overview th,.overview td{padding:5px 4px}
.overview tbody th{min-width:6.5em}.meter{display:none}svg text{font-size:14px}svg .caption{font-size:13.5px}
.tests th,.tests td{padding:5px}.badge{font-size:12px;padding:0 7px}
.columns{grid-template-columns:minmax(0,1fr)}.summary,.feature{padding:14px}
.models thead{display:none}.models tr,.models th,.models td{display:block;border:0!important;padding:2px 6px}
.models tr{border-top:1px solid var(--rule)!important;padding:6px 0}}
@media print{:root{--ground:#fff;color-scheme:light}body{font-size:12px}main{max-width:none;padding:0}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}details,nav,footer{display:none}
.summary,.feature,.overview{border-radius:0}}
""")
