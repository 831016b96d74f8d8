// Runs before the first paint, therefore a small classic script: light or dark, as chosen in this browser or by the system.
(function () {
  "use strict";
  var system = window.matchMedia("(prefers-color-scheme: dark)");
  function chosen() {
    try { return localStorage.getItem("hub-theme") || "auto"; } catch { return "auto"; }
  }
  function show() {
    var choice = chosen();
    var theme = choice === "light" || choice === "dark" ? choice : system.matches ? "dark" : "light";
    document.documentElement.setAttribute("data-bs-theme", theme);
  }
  window.hubTheme = {
    chosen: chosen,
    choose: function (choice) {
      try { localStorage.setItem("hub-theme", choice); } catch { /* private window: this page only */ }
      document.documentElement.setAttribute("data-bs-theme", choice === "auto" ? (system.matches ? "dark" : "light") : choice);
    },
    flip: function () {
      this.choose(document.documentElement.getAttribute("data-bs-theme") === "dark" ? "light" : "dark");
    },
  };
  system.addEventListener("change", show);
  window.addEventListener("storage", function (event) { if (event.key === "hub-theme") show(); });
  show();
  try { if (localStorage.getItem("hub-pane") === "off") document.documentElement.classList.add("no-pane"); } catch { /* as above */ }
})();
