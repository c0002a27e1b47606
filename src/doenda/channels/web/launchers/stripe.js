(() => {
  "use strict";
  const box = document.getElementById("launch");
  const button = document.getElementById("launch-go");
  const words = document.getElementById("launch-words");
  const client = JSON.parse(box.dataset.client);

  const without = () => {
    document.getElementById("launch-without").hidden = false;
    button.hidden = true;
  };

  const back = (said, code) => { // where the customer goes on; the house asks Stripe itself and believes none of this
    const to = new URL(client.return_url, location.href);
    to.searchParams.set("payment_intent", client.client_secret.split("_secret_")[0]);
    to.searchParams.set("redirect_status", said);
    if (code) to.searchParams.set("code", code);
    location.assign(to);
  };

  if (client.status === "requires_capture") return back("succeeded"); // authorised already: nothing to ask the payer
  if (!window.Stripe) return without();
  let stripe;
  let method;
  try {
    stripe = window.Stripe(client.publishable_key);
    if (!client.given) {
      const card = stripe.elements().create("card", {hidePostalCode: true});
      card.mount("#launch-card");
      method = {payment_method: {card}};
    }
  } catch (error) {
    return without();
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    words.hidden = true;
    const {error, paymentIntent} = await stripe.confirmCardPayment(client.client_secret, method);
    if (paymentIntent && ["requires_capture", "succeeded"].includes(paymentIntent.status)) return back("succeeded");
    const code = (error && (error.decline_code || error.code)) || "";
    if (client.given || !error) return back("failed", code || (paymentIntent && paymentIntent.status) || "");
    words.hidden = false; // the card was refused: another may be entered, nothing was taken
    button.disabled = false;
  });
})();
