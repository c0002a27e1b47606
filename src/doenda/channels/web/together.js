(function () {
  "use strict";
  var box = document.getElementById("together"), typed = false, source;
  if (!box || !window.EventSource || !box.getAttribute("data-live")) return;
  document.addEventListener("input", function () { typed = true; });
  function listen() {
    source = new EventSource(box.getAttribute("data-live"));
    source.addEventListener("place", function (event) {
      var lines = JSON.parse(event.data), said = document.getElementById("together-lines");
      while (said.firstChild) said.removeChild(said.firstChild);
      lines.forEach(function (line) {
        var paragraph = document.createElement("p");
        paragraph.textContent = line;
        said.appendChild(paragraph);
      });
    });
    source.addEventListener("moved", function () {
      source.close();
      if (typed) document.getElementById("together-moved").hidden = false;
      else location.replace(location.pathname);
    });
  }
  window.addEventListener("pagehide", function () { if (source) source.close(); });
  window.addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
  listen();
})();
