(function () {
  "use strict";
  var box = document.getElementById("launch");
  var button = document.getElementById("launch-go");
  var client = JSON.parse(box.getAttribute("data-client"));
  client.totalAmount = Number(client.totalAmount);
  client.forceRedirect = client.forceRedirect === "true";

  function without() {
    document.getElementById("launch-without").hidden = false;
    button.hidden = true;
  }

  function back(words) { // where the customer goes on: the house asks PortOne itself and believes none of this
    var said = ["paymentId", "paymentToken", "txId", "transactionType", "code"].filter(function (name) {
      return words && words[name];
    }).map(function (name) { return name + "=" + encodeURIComponent(words[name]); });
    location.assign(client.redirectUrl + (client.redirectUrl.indexOf("?") < 0 ? "?" : "&") + said.join("&"));
  }

  if (!window.PortOne) { return without(); }
  button.hidden = false;
  button.addEventListener("click", function () {
    button.disabled = true;
    try {
      Promise.resolve(window.PortOne.requestPayment(client)).then(function (said) {
        if (said) { back(said); } else { button.disabled = false; }
      }, without);
    } catch (error) { without(); }
  });
})();
