// What is shown when a request fails.
import { Failure } from "./api.js";
import { h } from "./dom.js";
import { t } from "./text.js";

/** The sentences of an error that may be none of the API. */
export function sentencesOf(error) {
	if (error instanceof Failure)
		return error.errors;
	console.error(error);
	return [t("error.unexpected")];
}

/**
 * A box with the sentences of a failure.
 * @param {Error} error
 * @param {?() => void} again what "Try again" does; it counts down to the time that the server asked for
 */
export function failureBox(error, again) {
	const button = again && h("button", { type: "button", onclick: again }, t("try-again"));
	if (button && error.retryAfter)
		countDown(button, error.retryAfter);
	return h("div", { class: "box bad", role: "alert" }, sentencesOf(error).map((sentence) => h("p", {}, sentence)), button);
}

/** Disables a button for `seconds` and shows them on it. An icon on it stays. */
export function countDown(button, seconds) {
	const place = [...button.childNodes].findLast((node) => node.textContent.trim() !== "");
	const label = place?.textContent;
	const end = Date.now() + seconds * 1000;
	button.disabled = true;
	const tick = () => {
		const left = Math.ceil((end - Date.now()) / 1000);
		if (place)
			place.textContent = left > 0 ? `${label} (${left} s)` : label;
		button.disabled = left > 0;
		if (left > 0 && (button.isConnected || left > seconds - 2))
			setTimeout(tick, 1000);
	};
	tick();
}

/** Runs `work` while the button is disabled and says so. */
export async function busy(button, work) {
	button.disabled = true;
	button.setAttribute("aria-busy", "true");
	try {
		return await work();
	} finally {
		button.disabled = false;
		button.removeAttribute("aria-busy");
	}
}
