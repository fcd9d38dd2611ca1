// SPDX-License-Identifier: Apache-2.0
// What the page adds for readers with scripts: columns that sort, and tips that can be seen.
"use strict";

(() => {
  const NUMBER = /(?<![\w.])[-\u2212+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?/gi;
  const ABSENT = /^[-\u2013\u2014]?$/;

  const words = (cell) => cell.textContent.trim();
  const numbers = (text) =>
    (text.match(NUMBER) ?? []).map((part) => Number(part.replaceAll(",", "").replace("\u2212", "-")));
  const isNumber = (text) => ABSENT.test(text) || /^[-\u2212+]?\d/.test(text);

  // Bits such as 9/8/10 compare as lists, first layer first.
  const compareLists = (a, b) => {
    for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
      if (a[i] !== b[i]) return a[i] - b[i];
    }
    return a.length - b.length;
  };
  const compareWords = (a, b) => a.localeCompare(b, "en", { numeric: true });

  // The first column is a name, whatever it begins with.
  const order = (rows, column) => {
    const numeric = column > 0 && rows.every((row) => isNumber(words(row.cells[column])));
    return numeric ? [numbers, compareLists] : [(text) => text, compareWords];
  };

  const sort = (body, column, ascending) => {
    const rows = [...body.rows];
    const [read, compare] = order(rows, column);
    const keyed = rows.map((row) => [words(row.cells[column]), row]);
    const [absent, present] = [true, false].map((wanted) =>
      keyed.filter(([text]) => ABSENT.test(text) === wanted));
    present.sort(([a], [b]) => (ascending ? 1 : -1) * compare(read(a), read(b)));
    body.append(...present.map(([, row]) => row), ...absent.map(([, row]) => row));
  };

  // A row whose cells span others belongs where it stands.
  const sortable = (table) =>
    table.tHead !== null &&
    table.tBodies.length === 1 &&
    table.tBodies[0].rows.length > 1 &&
    [...table.querySelectorAll("th, td")].every((cell) => cell.rowSpan === 1 && cell.colSpan === 1);

  const makeSortable = (table) => {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const ascending = heading.getAttribute("aria-sort") !== "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sort(table.tBodies[0], column, ascending);
      });
    });
  };

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);

  const partners = (element) => {
    const key = element.dataset.row ?? element.id;
    return key ? document.querySelectorAll(`[data-row="${key}"], tr[id="${key}"]`) : [];
  };
  const highlight = (element, on) =>
    partners(element).forEach((other) => other.classList.toggle("marked", on));

  const show = (mark) => {
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    const place = mark.getBoundingClientRect();
    const left = place.left + (place.width - tip.offsetWidth) / 2;
    const above = place.top - tip.offsetHeight - 8;
    tip.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${above < 8 ? place.bottom + 8 : above}px`;
  };
  const hide = () => {
    tip.hidden = true;
  };

  const listen = (enter, leave) => {
    document.addEventListener(enter, ({ target }) => {
      const mark = target.closest?.(".mark");
      if (mark) show(mark);
      const chosen = mark ?? target.closest?.("tr[id]");
      if (chosen) highlight(chosen, true);
    });
    document.addEventListener(leave, ({ target }) => {
      const chosen = target.closest?.(".mark, tr[id]");
      if (chosen) highlight(chosen, false);
      hide();
    });
  };

  // The browser would show a title of its own beside the tip.
  for (const title of document.querySelectorAll(".mark > title")) {
    title.parentNode.setAttribute("aria-label", title.textContent);
    title.remove();
  }
  [...document.querySelectorAll("table")].filter(sortable).forEach(makeSortable);
  listen("pointerover", "pointerout");
  listen("focusin", "focusout");
  document.addEventListener("scroll", hide, { capture: true, passive: true });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") hide();
  });
})();
