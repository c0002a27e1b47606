"use strict";
(() => {
  const told = document.getElementById("told");
  const drawn = new Map();
  let timer = 0;

  function draw(fresh) {
    const old = document.getElementById(fresh.id);
    if (!old || drawn.get(fresh.id) === fresh.innerHTML) return;
    const first = !drawn.has(fresh.id);
    drawn.set(fresh.id, fresh.innerHTML);
    if (first && old.innerHTML === fresh.innerHTML) return;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const shut = new Set([...old.querySelectorAll("details[id]:not([open])")].map((one) => one.id));
    old.replaceChildren(...fresh.childNodes);
    for (const one of old.querySelectorAll("details[id]")) if (shut.has(one.id) && !one.matches("[open]")) one.open = false;
    if (focused) {
      const same = [...old.querySelectorAll(focused.tagName)].find((one) => one.textContent === focused.textContent);
      if (same) same.focus({ preventScroll: true });
    }
  }

  async function look() {
    clearTimeout(timer);
    try {
      const answer = await fetch(document.body.dataset.live, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parsed.querySelectorAll("[data-part]")) draw(part);
      document.body.classList.remove("lost");
    } catch {
      document.body.classList.add("lost");
    }
    timer = setTimeout(look, document.hidden ? 10000 : 2000);
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!("send" in form.dataset)) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    if (told) told.textContent = "";
    if (event.submitter) event.submitter.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
      if (answer.type !== "opaqueredirect" && !answer.ok && told) told.textContent = await answer.text();
    } catch {
      if (told) told.textContent = "Doenda does not answer.";
    }
    if (event.submitter) event.submitter.disabled = false;
    look();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[target=phone]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const left = Math.max(0, window.screenX + 40), top = Math.max(0, window.screenY + 80);
    window.open(link.href, "phone", `popup,width=420,height=860,left=${left},top=${top}`);
  });

  timer = setTimeout(look, 2000);
})();
