// Dialogs and notices.
import { h, icon, newId } from "./dom.js";
import { t } from "./text.js";

/**
 * Opens a modal dialog and waits for its end.
 * @param {string} title
 * @param {(close: (value: any) => void) => (Node|Node[])} content
 * @param {{isWide?: boolean, isAlert?: boolean, canCancel?: boolean}} [options]
 * @returns {Promise<any>} what close() got; undefined when the person cancelled
 */
export function openDialog(title, content, { isWide = false, isAlert = false, canCancel = true } = {}) {
	return new Promise((resolve) => {
		const id = newId("dialog");
		let result;
		const close = (value) => {
			result = value;
			dialog.close();
		};
		const dialog = h("dialog", {
			"aria-labelledby": id, class: isWide && "wide", role: isAlert && "alertdialog",
			oncancel: (event) => canCancel || event.preventDefault(),
			onclose: () => {
				dialog.remove();
				resolve(result);
			},
		},
			h("header", {},
				h("h2", { id }, title),
				canCancel && h("button", { type: "button", class: "plain", "aria-label": t("close"), onclick: () => close() }, icon("close"))),
			content(close));
		document.body.append(dialog);
		dialog.showModal();
	});
}

/**
 * Asks before something that cannot be undone, once.
 * @param {{title: string, text: string|Node, action: string}} what `text` says what is destroyed; `action` is the button's label
 * @returns {Promise<boolean>}
 */
export const confirmDestruction = ({ title, text, action }) =>
	openDialog(title, (close) => [
		h("div", { class: "content" }, typeof text === "string" ? h("p", {}, text) : text),
		h("footer", {},
			h("button", { type: "button", autofocus: true, onclick: () => close(false) }, t("cancel")),
			h("button", { type: "button", class: "danger", onclick: () => close(true) }, action)),
	], { isAlert: true }).then(Boolean);

let region;

/** Says something at the edge of the screen, also to a screen reader, for some seconds; what went wrong ("bad") for longer. */
export function notify(sentence, kind = "good") {
	if (!region?.isConnected) {
		region = h("div", { class: "notices", role: "status", "aria-live": "polite" });
		document.body.append(region);
	}
	const notice = h("p", { class: kind }, sentence);
	region.append(notice);
	setTimeout(() => notice.remove(), kind === "bad" ? 20000 : 6000);
}

let quiet;

/** Tells a screen reader what is seen by others. */
export function announce(sentence) {
	if (!quiet?.isConnected) {
		quiet = h("div", { class: "hidden", role: "status", "aria-live": "polite" });
		document.body.append(quiet);
	}
	quiet.textContent = sentence;
}
