/** The style sheet of a report's page, for light and dark screens. */
export const PAGE_STYLE = `
:root { --ink: #1d2430; --paper: #ffffff; --faint: #e3e7ee; --grey: #6b7586;
  --c0: #2f6fde; --c1: #e08a1e; --c2: #2c9a6b; --c3: #b8436b; --c4: #7a5bd0; --c5: #4aa7bd; --c6: #8a7a4f; --c7: #8e99ab;
  --c8: #c2554a; --c9: #5f8f2f; --c10: #3c5a99; --c11: #b59a2a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ef; --paper: #14181f; --faint: #2b323d; --grey: #93a0b4;
    --c0: #6b9bf2; --c1: #f0ab52; --c2: #57c394; --c3: #df7499; --c4: #a78ef0; --c5: #7cc8da; --c6: #b8a878; --c7: #a7b1c1;
    --c8: #e0837a; --c9: #8dbd5c; --c10: #7f9ad6; --c11: #d8c15c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 900px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; border-top: 1px solid var(--faint); padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; width: 100%; }
th, td { text-align: right; padding: 2px 8px; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; }
th { color: var(--grey); font-weight: 500; }
.chart { width: 100%; height: auto; } .chart text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); }
.c4 { fill: var(--c4); } .c5 { fill: var(--c5); } .c6 { fill: var(--c6); } .c7 { fill: var(--c7); }
.c8 { fill: var(--c8); } .c9 { fill: var(--c9); } .c10 { fill: var(--c10); } .c11 { fill: var(--c11); }
.axis { stroke: var(--grey); stroke-width: 1; }
.run { fill: none; stroke: var(--c7); stroke-width: 1; opacity: .7; } .median { fill: none; stroke: var(--c0); stroke-width: 2; }
.dot { fill: var(--c0); opacity: .55; }
.interval { stroke-width: 2; } .faster { fill: var(--c2); stroke: var(--c2); } .slower { fill: var(--c3); stroke: var(--c3); }
.same { fill: var(--c7); stroke: var(--c7); }
.caution { border-left: 3px solid var(--c1); padding-left: .7rem; }
`;
