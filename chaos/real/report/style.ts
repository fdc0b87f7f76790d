/** How a report looks, by day and by night. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --card: #f6f7f9; --text: #1c2330; --soft: #626c7d; --rule: #d9dee6; --good: #1a7f4b; --bad: #c0322b; --fault: #d9822b; --on-fault: #2a1600; --answer: #3267c8; --shade: rgb(217 130 43 / 12%); --c0: #3267c8; --c1: #1b9e8a; --c2: #8a54c4; --c3: #b5842b; --c4: #c24a84; --c5: #5f7d2e; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181f; --card: #1d232d; --text: #e4e8ef; --soft: #98a3b5; --rule: #323b49; --good: #53c88a; --bad: #ff7b70; --fault: #e39a4d; --on-fault: #201200; --answer: #7ba4f5; --shade: rgb(227 154 77 / 14%); --c0: #7ba4f5; --c1: #4fc7b4; --c2: #b78be8; --c3: #d9b062; --c4: #e986b4; --c5: #a3c06c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 1240px; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
p { margin: .25rem 0; }
code, pre { font: .85em/1.45 ui-monospace, monospace; }
header { padding: 1rem 1.25rem; border-left: 6px solid; background: var(--card); border-radius: 4px; }
header.good { border-color: var(--good); }
header.bad { border-color: var(--bad); }
header.good h1 { color: var(--good); }
header.bad h1 { color: var(--bad); }
header p { color: var(--soft); }
header code { overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: .75rem; }
.tiles div { flex: 1 1 8rem; padding: .75rem 1rem; background: var(--card); border-radius: 4px; }
.tiles b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.tiles span, .note { color: var(--soft); font-size: .88rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; }
th, td { padding: .25rem .9rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
th { color: var(--soft); font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.mark { white-space: nowrap; font-weight: 600; }
tr.good .mark { color: var(--good); }
tr.bad .mark, tr.bad td:first-child { color: var(--bad); font-weight: 600; }
tr.idle .mark { color: var(--soft); font-weight: 400; }
.findings { padding-left: 1.2rem; }
.findings li { margin-bottom: .6rem; }
pre { margin: .3rem 0; padding: .5rem .75rem; background: var(--card); border-radius: 4px; white-space: pre-wrap; overflow-wrap: anywhere; }
summary { color: var(--soft); font-size: .88rem; cursor: pointer; }
svg { display: block; width: 100%; min-width: 760px; font: 10.5px system-ui, sans-serif; }
svg text { fill: var(--text); }
svg .lane { text-anchor: end; fill: var(--soft); }
svg .tick { text-anchor: middle; fill: var(--soft); }
svg .grid { stroke: var(--rule); stroke-width: .6; }
svg .phase { fill: var(--text); }
svg [class^="phase-"] { fill: var(--card); stroke: var(--rule); stroke-width: .6; }
svg .phase-chaos { fill: var(--shade); }
svg .leader.c0 { fill: var(--c0); } svg .leader.c1 { fill: var(--c1); } svg .leader.c2 { fill: var(--c2); }
svg .leader.c3 { fill: var(--c3); } svg .leader.c4 { fill: var(--c4); } svg .leader.c5 { fill: var(--c5); }
svg .fault { fill: var(--fault); }
svg .on-fault { fill: var(--on-fault); }
svg .beside { fill: var(--text); }
svg .answer { stroke: var(--answer); stroke-width: 2.6; stroke-linecap: round; stroke-opacity: .7; fill: none; }
svg .shade { fill: var(--shade); }
svg .life { stroke-width: 2.4; stroke: var(--soft); }
svg .life.living { stroke: var(--c0); } svg .life.exited { stroke: var(--c1); } svg .life.signalled { stroke: var(--c3); } svg .life.gap { stroke: var(--bad); }
.key { display: inline-block; width: 1.4rem; height: 3px; margin: 0 .25rem .2rem .75rem; border-radius: 2px; }
.key.living { background: var(--c0); } .key.exited { background: var(--c1); } .key.signalled { background: var(--c3); } .key.gap { background: var(--bad); }
`;
