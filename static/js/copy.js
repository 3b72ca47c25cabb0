// Copies a link's address, or hands it to the phone's own way of sending. Buttons show themselves only where this runs.
(function () {
  "use strict";

  function byHand(text) {
    var field = document.createElement("textarea");
    field.value = text;
    field.setAttribute("readonly", "");
    field.className = "visually-hidden";
    document.body.appendChild(field);
    field.select();
    var copied = document.execCommand("copy");
    field.remove();
    return copied ? Promise.resolve() : Promise.reject(new Error("not copied"));
  }

  function copy(text) {
    // The clipboard is there on https and localhost only; a page in a built-in browser may not have it at all.
    if (!navigator.clipboard || !window.isSecureContext) { return byHand(text); }
    return navigator.clipboard.writeText(text).catch(function () { return byHand(text); });
  }

  document.querySelectorAll("[data-copy]").forEach(function (button) {
    var label = button.innerHTML;
    button.hidden = false;
    button.addEventListener("click", function () {
      copy(button.dataset.copy).then(function () {
        button.textContent = button.dataset.copied;
        setTimeout(function () { button.innerHTML = label; }, 2000);
      }, function () { button.blur(); });
    });
  });

  document.querySelectorAll("[data-share]").forEach(function (button) {
    if (!navigator.share) { return; }
    button.hidden = false;
    button.addEventListener("click", function () {
      // Who closes the sheet again has decided so.
      navigator.share({ text: button.dataset.share, url: button.dataset.url }).catch(function () {});
    });
  });

  document.querySelectorAll("input[readonly]").forEach(function (field) {
    field.addEventListener("focus", function () { field.select(); });
  });
})();
