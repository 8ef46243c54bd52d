// Files that are chosen or dropped, and sent one after the other.
import { append, fill, h, icon, newId } from "./dom.js";
import { countDown, sentencesOf } from "./failure.js";
import { percent, size, t } from "./text.js";

/**
 * A place for files, with a line for each: how far it is, and a button that cancels it.
 * @param {{label: string, accept?: string, send: (file: File, options: {onProgress, signal: AbortSignal}) => Promise<any>,
 *     onSent: (result: any, file: File) => void, refuse?: (file: File) => ?string}} options `refuse` says why a file is not sent
 * @returns {HTMLElement} with `isSending()`
 */
export function uploadBox({ label, accept, send, onSent, refuse = () => null }) {
	const id = newId("files");
	const input = h("input", { type: "file", id, class: "hidden", multiple: true, accept, onchange: () => {
		add([...input.files]);
		input.value = "";
	} });
	const lines = h("ul", { class: "plain-list uploads" });
	const place = h("div", {
		class: "drop", ondragover: (event) => {
			event.preventDefault();
			place.classList.add("over");
		},
		ondragleave: () => place.classList.remove("over"),
		ondrop: (event) => {
			event.preventDefault();
			place.classList.remove("over");
			add([...event.dataTransfer.files]);
		},
	}, input, h("label", { for: id, class: "button" }, icon("upload"), label), h("span", { class: "hint" }, t("upload.drop")));
	const element = h("div", {}, place, lines);
	const waiting = [];
	let isSending = false;
	element.isSending = () => isSending;
	return element;

	function add(files) {
		for (const file of files) {
			const line = makeLine(file);
			lines.append(line.element);
			const fault = refuse(file);
			fault ? line.fail([fault]) : waiting.push(line);
		}
		next();
	}

	async function next() {
		if (isSending)
			return;
		isSending = true;
		for (let line; (line = waiting.shift());)
			await line.run();
		isSending = false;
	}

	function makeLine(file) {
		const abort = new AbortController();
		const bar = h("progress", { max: 1, value: 0, "aria-label": file.name });
		const state = h("span", { class: "hint", role: "status" }, t("upload.waits"));
		const buttons = h("span", { class: "row-actions" });
		const line = { element: h("li", { class: "row-card" },
			h("div", {}, h("span", {}, file.name), " ", h("span", { class: "hint" }, size(file.size)), bar), state, buttons),
			fail, run };
		const button = (name, label, work) =>
			h("button", { type: "button", class: "small", "aria-label": `${label}: ${file.name}`, onclick: work },
			icon(name), label);
		const remove = () => {
			const at = waiting.indexOf(line);
			if (at >= 0)
				waiting.splice(at, 1);
			abort.abort();
			line.element.remove();
			input.focus();
		};
		append(buttons, button("close", t("cancel"), remove));
		return line;

		function fail(sentences, again, retryAfter) {
			const retry = again && button("upload", t("try-again"), again);
			bar.remove();
			fill(state, h("span", { class: "wrong" }, sentences.join(" ")));
			fill(buttons, retry, button("close", t("close"), remove));
			if (retryAfter)
				countDown(retry, retryAfter);
		}

		async function run() {
			state.textContent = t("upload.runs");
			try {
				const result = await send(file, {
					signal: abort.signal, onProgress: (part) => {
						bar.value = part;
						state.textContent = part < 1 ? percent(Math.floor(part * 100)) : t("upload.checks");
					},
				});
				line.element.remove();
				onSent(result, file);
			} catch (error) {
				if (abort.signal.aborted)
					return;
				// "file: must be ..." names a field that nobody sees.
				fail(sentencesOf(error).map((sentence) => sentence.replace(/^[\w[\].]+: /, "")), () => {
					line.element.remove();
					add([file]);
				}, error.retryAfter);
			}
		}
	}
}
