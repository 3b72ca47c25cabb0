// The review table by keyboard, and what is chosen added up. Everything works without it: the boxes and buttons are a form.
(function () {
  "use strict";

  var form = document.getElementById("review");
  var search = document.getElementById("search");
  if (!form) { return; }
  var rows = Array.prototype.slice.call(form.querySelectorAll("[data-row]"));
  var boxes = Array.prototype.slice.call(form.querySelectorAll("input[name=payout]"));
  var every = form.querySelector("[data-all]");
  var fit = form.querySelector("[data-fit]");
  var status = form.querySelector("[data-chosen]");
  var buttons = Array.prototype.slice.call(form.querySelectorAll("button[name=step]"));
  var keys = document.getElementById("keys");
  var labels = buttons.map(function (button) { return button.textContent; });

  // The amounts are of one currency as a rule; of several, each is added up by itself.
  function together(chosen, field) {
    var sums = {};
    chosen.forEach(function (box) {
      var currency = box.dataset.currency, cents = Math.round(parseFloat(box.dataset[field]) * 100);
      if (field === "payable" || cents) { sums[currency] = (sums[currency] || 0) + cents; }
    });
    return Object.keys(sums).sort().map(function (currency) { return window.writtenAmount(sums[currency], currency); }).join(" + ");
  }

  function said(words, chosen) {
    var text = chosen.length === 1 ? words.one : words.many;
    return text.replace("{count}", chosen.length.toLocaleString("en")).replace("{amount}", together(chosen, "payable"));
  }

  function show() {
    var chosen = boxes.filter(function (box) { return box.checked; });
    boxes.forEach(function (box) { box.closest("tr").classList.toggle("on", box.checked); });
    if (every) {
      every.checked = chosen.length === boxes.length;
      every.indeterminate = chosen.length > 0 && !every.checked;
    }
    var all = Boolean(fit && fit.checked);
    if (status) { status.parentElement.classList.toggle("chosen", all || chosen.length > 0); }
    var cut = all ? "" : together(chosen, "cut");
    if (status) {
      status.textContent = all ? "" : chosen.length ? said(status.dataset, chosen) : status.dataset.none;
      if (cut) { status.textContent += " · " + status.dataset.cut.replace("{amount}", cut); }
    }
    buttons.forEach(function (button, place) {
      var open = chosen.filter(function (box) { return box.dataset.steps.split(" ").indexOf(button.value) >= 0; });
      button.disabled = !all && open.length === 0 && chosen.length === 0;
      button.textContent = button.dataset.many && open.length && !all ? said(button.dataset, open) : labels[place];
    });
  }

  function at() {
    return rows.findIndex(function (row) { return row.contains(document.activeElement); });
  }

  function go(step) {
    var next = Math.min(Math.max(at() + step, 0), rows.length - 1);
    var link = rows[next] && rows[next].querySelector("[data-open]");
    if (link) { link.focus(); rows[next].scrollIntoView({ block: "nearest" }); }
  }

  function choose() {
    var row = rows[at()];
    var box = row && row.querySelector("input[name=payout]");
    if (box) { box.checked = !box.checked; show(); }
  }

  function press(key) {
    var button = buttons.filter(function (each) { return each.dataset.key === key; })[0];
    if (button && !button.disabled) { button.click(); }
  }

  // Who speaks to the machine, or types elsewhere by habit, can turn the keys off; this browser remembers it.
  var onOff = keys.querySelector("[data-keys]");
  try { onOff.checked = localStorage.getItem("review-keys") !== "off"; } catch (error) { onOff.checked = true; }
  onOff.addEventListener("change", function () {
    try { localStorage.setItem("review-keys", onOff.checked ? "on" : "off"); } catch (error) { onOff.blur(); }
  });

  document.addEventListener("keydown", function (event) {
    if (!onOff.checked) { return; }
    var field = event.target.closest("input:not([type=checkbox]), select, textarea");
    if (field || event.ctrlKey || event.metaKey || event.altKey) {
      if (field === search && event.key === "Escape") { search.blur(); }
      return;
    }
    var acts = {
      j: function () { go(1); },
      k: function () { go(-1); },
      x: choose,
      a: function () { press("a"); },
      v: function () { press("v"); },
      h: function () { press("h"); },
      "/": function () { search.focus(); search.select(); },
      "?": function () { keys.open = !keys.open; if (keys.open) { keys.querySelector("summary").focus(); } }
    };
    if (Object.prototype.hasOwnProperty.call(acts, event.key)) {
      event.preventDefault();
      acts[event.key]();
    }
  });

  if (every) {
    every.hidden = false;
    every.addEventListener("change", function () {
      boxes.forEach(function (box) { box.checked = every.checked; });
      show();
    });
  }
  form.addEventListener("change", show);
  keys.hidden = false;
  // A browser that goes back to this page has kept the boxes.
  window.addEventListener("pageshow", show);
  show();
})();
