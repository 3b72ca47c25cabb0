// The button says what the chosen partners come to. Without this it says it once more before anything is submitted.
(function () {
  "use strict";

  var form = document.getElementById("submission");
  if (!form) { return; }
  var boxes = Array.prototype.slice.call(form.querySelectorAll("input[name=partner]"));
  var everies = Array.prototype.slice.call(form.querySelectorAll("[data-all]"));
  var button = form.querySelector("[data-submit]");
  var reason = form.querySelector("[name=text]");
  var needed = form.querySelector("[data-needed]");

  function own(every) {
    return Array.prototype.slice.call(every.closest("table").querySelectorAll("input[name=partner]"));
  }

  function show() {
    var chosen = boxes.filter(function (box) { return box.checked; });
    var cents = chosen.reduce(function (sum, box) { return sum + Math.round(parseFloat(box.dataset.payable) * 100); }, 0);
    boxes.forEach(function (box) { box.closest("tr").classList.toggle("on", box.checked); });
    everies.forEach(function (every) {
      var all = own(every), on = all.filter(function (box) { return box.checked; });
      every.checked = on.length === all.length;
      every.indeterminate = on.length > 0 && !every.checked;
    });
    form.elements.seen.value = chosen.length;
    form.elements.shown.value = (cents / 100).toFixed(2);
    button.disabled = chosen.length === 0;
    button.textContent = (chosen.length === 1 ? button.dataset.one : button.dataset.many)
      .replace("{count}", chosen.length.toLocaleString("en"))
      .replace("{amount}", window.writtenAmount(cents, form.dataset.currency));
    reason.required = Boolean(form.dataset.early) || chosen.some(function (box) { return box.dataset.needs; });
    needed.hidden = !reason.required;
  }

  everies.forEach(function (every) {
    every.hidden = false;
    every.addEventListener("change", function () {
      own(every).forEach(function (box) { box.checked = every.checked; });
      show();
    });
  });
  form.addEventListener("change", show);
  // A browser that goes back to this page has kept the boxes.
  window.addEventListener("pageshow", show);
  show();
})();
