// Pages that somebody leaves open: what is marked as live is asked for again while the page is seen.

const live = document.querySelector("[data-live]");

function focused() {
  const inside = document.activeElement;
  return inside && live.contains(inside) ? inside.closest("[href], [name], summary") : null;
}

async function refresh() {
  if (document.hidden) return;
  let fresh = null;
  try {
    const answer = await fetch(location.href, { headers: { "X-Refresh": "1" } });
    if (answer.redirected || answer.status === 401) { location.reload(); return; }
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      fresh = page.querySelector("[data-live]");
    }
  } catch { /* Said below: the server restarts, or the line is down. */ }
  const lost = live.querySelector(".trouble");
  if (!fresh) {
    if (lost) return;
    const said = document.createElement("p");
    said.className = "trouble";
    said.setAttribute("role", "status");
    said.textContent = live.dataset.lost;
    live.prepend(said);
    return;
  }
  const at = focused()?.getAttribute("href");
  live.replaceChildren(...fresh.childNodes);
  if (at) live.querySelector(`[href="${CSS.escape(at)}"]`)?.focus();
}

if (live) {
  setInterval(refresh, Number(live.dataset.live) * 1000);
  // Who comes back to the page sees what is true now, not what was true when they left.
  document.addEventListener("visibilitychange", refresh);
}

const all = document.querySelector("input[data-all]");
all?.addEventListener("change", () => {
  document.querySelectorAll(`input[name="${all.dataset.all}"]`).forEach((one) => { one.checked = all.checked; });
});
