// Lists whose items are put into another order: dragged with a mouse or a finger, or moved by buttons.
import { announce } from "./dialog.js";
import { h, icon, nameButton } from "./dom.js";
import { t } from "./text.js";

const EDGE = 90;	// px from the edge of the window where dragging scrolls
const STEP = 14;	// px a turn

/**
 * Makes the children of a list sortable.
 * @param {HTMLElement} list
 * @param {{nameOf: (item: HTMLElement) => string, onMoved?: (item: HTMLElement) => void}} options nameOf: what the item is called
 *     in labels; onMoved: is called once the item has its new place
 * @returns {{handle: (item) => Node, buttons: (item) => Node[], relabel: () => void}} what belongs into each item; relabel: names
 *     the buttons, once the items are there and whenever their names changed
 */
export function sortable(list, { nameOf, onMoved = () => {} }) {
	const moved = (item) => {
		relabel();
		const place = [...list.children].indexOf(item) + 1;
		announce(t("sort.moved", { name: nameOf(item), n: place, all: list.children.length }));
		onMoved(item);
	};

	/** The neighbour is moved, not the item: an element that is taken out of the page loses the focus. */
	function step(item, isUp) {
		const neighbour = isUp ? item.previousElementSibling : item.nextElementSibling;
		if (!neighbour)
			return announce(t(isUp ? "sort.is-first" : "sort.is-last"));
		isUp ? item.after(neighbour) : item.before(neighbour);
		moved(item);
	}

	function drag(item, event) {
		if (event.button !== 0)
			return;
		event.preventDefault();
		const before = [...list.children];
		let y = event.clientY;
		item.classList.add("dragged");
		const follow = () => {
			for (let other; (other = item.previousElementSibling) && y < middle(other);)
				item.after(other);
			for (let other; (other = item.nextElementSibling) && y > middle(other);)
				item.before(other);
		};
		const scroll = setInterval(() => {
			scrollBy(0, y < EDGE ? -STEP : y > innerHeight - EDGE ? STEP : 0);
			follow();
		}, 30);
		const listeners = new AbortController();
		const on = (name, work) => addEventListener(name, work, { signal: listeners.signal });
		const end = (isCancelled) => {
			clearInterval(scroll);
			listeners.abort();
			item.classList.remove("dragged");
			if (isCancelled)
				list.append(...before);
			else if (before.some((one, i) => list.children[i] !== one))
				moved(item);
		};
		on("pointermove", (move) => {
			y = move.clientY;
			follow();
		});
		on("pointerup", () => end(false));
		on("pointercancel", () => end(true));
		on("keydown", (key) => key.key === "Escape" && end(true));
	}

	const button = (item, isUp) => h("button", {
		type: "button", class: "plain small", "data-step": isUp ? "sort.up" : "sort.down", onclick: () => step(item, isUp),
	}, icon(isUp ? "up" : "down"));

	function relabel() {
		for (const item of list.children)
			for (const one of item.querySelectorAll("[data-step]"))
				if (one.closest("li") === item)
					nameButton(one, t(one.dataset.step, { name: nameOf(item) }));
	}

	return {
		handle: (item) => h("span", { class: "handle", "aria-hidden": "true", onpointerdown: (event) => drag(item, event) },
			icon("drag")),
		buttons: (item) => [button(item, true), button(item, false)],
		relabel,
	};
}

function middle(element) {
	const { top, height } = element.getBoundingClientRect();
	return top + height / 2;
}
