/**
 * The list by keyboard. It is one stop of the Tab key, or 500 rows would lie between the filter and the form; the arrow keys
 * go from row to row, and Tab then to the buttons of the row that they are at.
 */

/**
 * @param {HTMLElement} table what scrolls, and has the focus first
 * @param {HTMLElement} rows
 */
export function wireRowKeys(table, rows) {
  table.addEventListener("keydown", (event) => {
    const row = document.activeElement.closest?.(".event");
    // What scrolls by itself has its own use for the arrow keys.
    if ((event.target !== table && event.target !== row) || event.ctrlKey || event.altKey || event.metaKey) return;
    const next = target(event.key, row, rows);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  rows.addEventListener("focusin", ({ target }) => setTabStops(target, "0"));
  rows.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (target.closest(".event") !== relatedTarget?.closest?.(".event")) setTabStops(target, "-1");
  });
}

function target(key, row, rows) {
  switch (key) {
    case "ArrowDown":
      return row ? shownFrom(row.nextElementSibling, "nextElementSibling") : shownFrom(rows.firstElementChild, "nextElementSibling");
    case "ArrowUp":
      return row && shownFrom(row.previousElementSibling, "previousElementSibling");
    case "Home":
      return shownFrom(rows.firstElementChild, "nextElementSibling");
    case "End":
      return shownFrom(rows.lastElementChild, "previousElementSibling");
  }
}

/** The filter hides rows. */
function shownFrom(row, direction) {
  while (row?.hidden) row = row[direction];
  return row;
}

function setTabStops(inside, tabIndex) {
  for (const button of inside.closest(".event").querySelectorAll("button")) button.tabIndex = tabIndex;
}
