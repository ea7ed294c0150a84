// Sorts and filters the tables, and loads the page again on request without losing place, order or search.
// The page can be read without it. ASCII only: a page in a file is written with character references.
"use strict";
(() => {
  const FEW_LINES = 8;
  const state = { words: "", column: "", rising: false };
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const text = element => element.textContent.trim();

  function element(name, attributes = {}, ...children) {
    const made = Object.assign(document.createElement(name), attributes);
    made.append(...children);
    return made;
  }

  // A number in a cell, which may be "< 0.1 %"; text as it is; nothing is least.
  function value(row, column) {
    const shown = text(row.cells[column]).replaceAll(",", "");
    if (shown === "none" || shown === "\u221e") return Infinity;
    const number = /^<? ?(-?[\d.]+(?:e[+-]?\d+)?)( %)?$/.exec(shown);
    return number ? parseFloat(number[1]) : shown || -Infinity;
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a === b ? 0 : a < b ? -1 : 1;
    return String(a).localeCompare(String(b), undefined, { numeric: true });
  }

  function sort() {
    for (const table of all(".overview")) {
      const titles = all("thead th button", table);
      for (const title of titles) {
        const cell = title.closest("th");
        if (text(title) !== state.column) { cell.removeAttribute("aria-sort"); continue; }
        cell.ariaSort = state.rising ? "ascending" : "descending";
        const sign = state.rising ? 1 : -1;
        const rows = [...table.tBodies[0].rows].map(row => [value(row, cell.cellIndex), row]);
        rows.sort((a, b) => sign * compare(a[0], b[0]));
        table.tBodies[0].append(...rows.map(pair => pair[1]));
      }
    }
  }

  function filter() {
    const words = state.words.toLowerCase();
    const rows = all(".overview tbody tr");
    for (const row of rows) row.hidden = !text(row.cells[0]).toLowerCase().includes(words);
    for (const one of all(".feature")) one.hidden = !text(one.querySelector("h3")).toLowerCase().includes(words);
    const found = document.querySelector(".tools output");
    if (found) found.value = words ? `${rows.filter(row => !row.hidden).length} of ${rows.length}` : "";
  }

  function addButtons() {
    for (const title of all(".overview thead th:not(.picture)")) {
      const button = element("button", { type: "button", textContent: text(title) });
      button.addEventListener("click", () => {
        const name = text(button);
        const isText = title.cellIndex < 2;
        state.rising = state.column === name ? !state.rising : isText;
        state.column = name;
        sort();
      });
      title.replaceChildren(button);
    }
  }

  function addSearch() {
    const tools = document.querySelector(".tools");
    if (!tools || all(".overview tbody tr").length <= FEW_LINES) return;
    const what = document.querySelector(".models") ? "models" : "features";
    const input = element("input", { type: "search", placeholder: `Search ${what}`, ariaLabel: `Search ${what}` });
    input.value = state.words;
    input.addEventListener("input", () => { state.words = input.value.trim(); filter(); });
    tools.prepend(input, element("output"));
  }

  function prepare() {
    addButtons();
    addSearch();
    sort();
    filter();
  }

  // The section at the top of the screen, by its feature's name, since its place in the page may change.
  const name = section => section.querySelector("h3").textContent;
  const place = section => section.getBoundingClientRect().top;

  async function load() {
    const response = await fetch(location.href, { cache: "no-store" });
    if (!response.ok) throw new Error(`status code ${response.status}`);
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const open = new Set(all("details[open]").map(one => name(one.closest(".feature"))));
    const search = document.querySelector(".tools input");
    const cursor = search && search === document.activeElement ? search.selectionStart : null;
    const top = scrollY > 0 && all(".feature:not([hidden])").find(one => one.getBoundingClientRect().bottom > 0);
    const before = top && { name: name(top), place: place(top) };
    const height = scrollY;
    document.querySelector("main").replaceWith(fresh.querySelector("main"));
    document.title = fresh.title;
    prepare();
    for (const one of all("details")) one.open = open.has(name(one.closest(".feature")));
    const same = before && before.place <= innerHeight && all(".feature").find(one => name(one) === before.name);
    scrollTo(scrollX, same ? scrollY + place(same) - before.place : height);
    if (cursor !== null) {
      const field = document.querySelector(".tools input");
      if (field) { field.focus({ preventScroll: true }); field.setSelectionRange(cursor, cursor); }
    }
  }

  function addRefresh() {
    const refresh = document.querySelector(".refresh");
    if (!refresh) return;
    const seconds = Number(refresh.dataset.seconds);
    const message = element("output");
    const now = async () => {
      try {
        await load();
        message.value = "";
      } catch (error) {
        message.value = `no new page: ${error.message}`;
      }
    };
    refresh.querySelector("a").addEventListener("click", event => { event.preventDefault(); now(); });
    const box = element("input", { type: "checkbox" });
    let timer = 0;
    box.addEventListener("change", () => {
      clearInterval(timer);
      if (box.checked) timer = setInterval(() => { if (!document.hidden) now(); }, 1000 * seconds);
    });
    refresh.append(element("label", {}, box, ` every ${seconds} s`), message);
  }

  prepare();
  addRefresh();
})();
