/**
 * The use of the list by keyboard. The Tab key stops only once at the list, since there could be 500 rows between the
 * filter and the form. The arrow keys go from row to row, and Tab then goes to the buttons of the current row.
 */

/**
 * @param {HTMLElement} table the element that scrolls the rows, and that Tab stops at
 * @param {HTMLElement} rows
 */
export function wireRowKeys(table, rows) {
  table.addEventListener("keydown", (event) => {
    const row = document.activeElement.closest?.(".event");
    // An element in a row that scrolls by itself needs the arrow keys for that.
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

/** Returns the first row from `row` on, in this direction, that the filter does not hide. */
function shownFrom(row, direction) {
  while (row?.hidden) row = row[direction];
  return row;
}

function setTabStops(inside, tabIndex) {
  for (const button of inside.closest(".event").querySelectorAll("button")) button.tabIndex = tabIndex;
}
