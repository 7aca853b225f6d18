// What pages do by themselves: a seat map counts what is chosen and follows what others take, a hold counts down, a purchase waits for
// its payment. Each part looks for its own mark in the page and does nothing without it; without a script all pages work as well.
"use strict";

const map = document.querySelector("form[data-event]");
if (map) {
  const most = Number(map.dataset.most);
  const price = Number(map.dataset.price);
  const choice = document.getElementById("choice");
  const STATES = ["free", "held", "sold"];
  const chosen = () => map.querySelectorAll("input[name=seats]:checked");

  const count = () => {
    const seats = [...chosen()].map((box) => box.value);
    const sum = "€ " + ((seats.length * price) / 100).toFixed(2);
    const text =
      seats.length === 0 ? "Nothing chosen yet"
      : seats.length > most ? `${seats.length} seats chosen, at most ${most} can be yours`
      : `${seats.join(", ")} chosen: ${sum}`;
    choice.classList.toggle("wrong", seats.length > most);
    // What is written is read aloud, also when it says the same as before.
    if (choice.textContent !== text) choice.textContent = text;
  };

  const show = (seat, state) => {
    const label = map.querySelector(`[data-seat="${seat}"]`);
    if (!label) return;
    const box = label.querySelector("input");
    label.classList.remove(...STATES);
    label.classList.add(state);
    box.disabled = state !== "free";
    if (box.disabled) box.checked = false;
    box.setAttribute("aria-label", `Seat ${seat}, ${state}`);
  };

  // Browsers put back what was chosen, and what could be, when somebody comes back to a page; the map may say otherwise by now.
  const settle = () => {
    for (const label of map.querySelectorAll("[data-seat]")) {
      show(label.dataset.seat, STATES.find((state) => label.classList.contains(state)));
    }
    count();
  };

  const follow = async () => {
    const answer = await fetch(`/api/events/${map.dataset.event}`);
    if (!answer.ok) return;
    const event = await answer.json();
    for (const { seat, state } of event.seats) show(seat, state);
    document.querySelector("[data-left]").textContent = event.left;
    count();
  };

  map.addEventListener("change", count);
  addEventListener("pageshow", settle);
  settle();
  every(2000, follow);
}

const clock = document.querySelector("[data-seconds]");
if (clock) {
  // By the time that has passed here, so that the two clocks need not agree.
  const end = performance.now() + Number(clock.dataset.seconds) * 1000;
  const tick = setInterval(() => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left <= 0) {
      clearInterval(tick);
      location.reload();
    } else {
      clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    }
  }, 250);
}

const pending = document.querySelector("[data-purchase]");
if (pending) {
  every(500, async () => {
    const answer = await fetch(`/api/purchases/${pending.dataset.purchase}`);
    const isDecided = answer.ok && (await answer.json()).state !== "pending";
    if (isDecided) location.reload();
    return isDecided;
  });
}

// A double click sends a form once: else the second would be told that the seats are taken, by the first. Who is not answered may try
// again after a while.
const sent = new Set();
addEventListener("submit", (event) => {
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
  setTimeout(() => sent.delete(event.target), 15_000);
});
addEventListener("pageshow", () => sent.clear());

// Says first what went wrong, to those who cannot see it.
document.querySelector("[role=alert]")?.focus();

// One after the other, until one says that it was the last, and not while nobody looks; a failed one is followed by the next.
function every(milliseconds, work) {
  setTimeout(async () => {
    try {
      if (!document.hidden && (await work())) return;
    } catch {
      // The service is away; the page stays as it is.
    }
    every(milliseconds, work);
  }, milliseconds);
}
