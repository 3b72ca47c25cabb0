// An amount in running text, as the pages write it: ¥4,000.00 in Chinese, 4,000.00 CNY in English. Cents are whole.
window.writtenAmount = function (cents, currency) {
  "use strict";

  var text = (Math.abs(cents) / 100).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  var sign = cents < 0 ? "−" : "";
  var chinese = document.documentElement.lang.indexOf("zh") === 0;
  return chinese && currency === "CNY" ? sign + "¥" + text : sign + text + " " + currency;
};
