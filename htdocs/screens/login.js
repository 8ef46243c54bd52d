// Login by a code from a mail.
import { whoAmI } from "../app.js";
import { Failure, request } from "../lib/api.js";
import { openDialog } from "../lib/dialog.js";
import { fill, h, newId } from "../lib/dom.js";
import { busy, countDown, failureBox } from "../lib/failure.js";
import { address } from "../lib/route.js";
import { forget, keepTokens, wasOwnDevice } from "../lib/session.js";
import { language, t } from "../lib/text.js";

const DIGITS = 6;
const AGAIN_AFTER = 60;	// seconds until the server takes another request for a code

export function login({ query, user }) {
	const next = async (data) => {
		await whoAmI();
		const to = safe(query.get("to"));
		location.replace(data.isRegistrationComplete || data.user.role !== "user" ? `#${to}` : address("/register", { to }));
	};
	if (user) {
		location.replace(`#${safe(query.get("to"))}`);
		return [];
	}
	return h("div", { class: "narrow" }, h("h1", {}, t("log-in")), loginForm({ done: next }));
}

/** Only an address of this app. */
const safe = (path) => (path?.startsWith("/") ? path : "/");

let asking = null;

/**
 * Asks somebody whose session is over to log in again, in a dialog over what they were doing.
 * @param {?Object} user only this one gets on; somebody else starts from the first screen
 * @returns {Promise<boolean>}
 */
export function askLogin(user) {
	asking ??= openDialog(t("login.again"), (close) => h("div", { class: "content" },
		h("p", {}, t("login.again-text")),
		loginForm({ email: user?.email, done: (data) => {
			if (user && data.user.id !== user.id)
				location.reload();
			close(true);
		} }))).then((result) => {
		asking = null;
		if (!result) {
			forget();
			whoAmI();
			location.hash = "#/login";
		}
		return Boolean(result);
	});
	return asking;
}

/** The two steps. `email`: it cannot be changed. `done` gets the data of AuthResponseDto. */
function loginForm({ email, done }) {
	const box = h("div", { class: "login" });
	askAddress(email ?? "");
	return box;

	function askAddress(address) {
		const id = newId("email");
		const problem = h("div");
		const input = h("input", { id, type: "email", name: "email", autocomplete: "email", required: true, value: address, readonly: Boolean(email), maxlength: 254 });
		const button = h("button", { class: "primary" }, t("login.send"));
		fill(box, h("form", { novalidate: true, onsubmit: async (event) => {
			event.preventDefault();
			if (!input.value.includes("@")) {
				fill(problem, h("div", { class: "box bad", role: "alert" }, t("invalid.email")));
				return input.focus();
			}
			await attempt(problem, button, async () => {
				const { data } = await request("POST", "/auth/otp/request", { body: { email: input.value, language: language() }, anonymous: true });
				askCode(data.email);
			});
		} },
			h("p", {}, t("login.text")),
			h("div", { class: "field" }, h("label", { for: id }, t("field.email")), input),
			problem, h("div", { class: "actions" }, button)));
		if (box.isConnected)
			input.focus();
	}

	function askCode(address) {
		const id = newId("code");
		const problem = h("div");
		const own = h("input", { type: "checkbox", checked: wasOwnDevice() });
		const button = h("button", { class: "primary" }, t("log-in"));
		const again = h("button", { type: "button", class: "plain", onclick: () => attempt(problem, again, async () => {
			await request("POST", "/auth/otp/request", { body: { email: address, language: language() }, anonymous: true });
			askCode(address);
		}) }, t("login.again-code"));
		// One input, drawn as six places: so paste, autofill and screen readers work.
		const input = h("input", {
			id, class: "code-input", name: "code", autocomplete: "one-time-code", inputmode: "numeric", required: true,
			"aria-describedby": `${id}-hint`, oninput: () => {
				const digits = input.value.replace(/\D/g, "").slice(0, DIGITS);
				if (digits !== input.value)
					input.value = digits;
				if (digits.length === DIGITS)
					form.requestSubmit();
			},
		});
		const form = h("form", { novalidate: true, onsubmit: async (event) => {
			event.preventDefault();
			if (input.value.length !== DIGITS) {
				fill(problem, h("div", { class: "box bad", role: "alert" }, t("login.six")));
				return input.focus();
			}
			if (button.disabled)
				return;
			await attempt(problem, button, async () => {
				const { data } = await request("POST", "/auth/otp/verify", { body: { email: address, code: input.value }, anonymous: true });
				keepTokens(data, own.checked);
				await done(data);
			});
			if (form.isConnected)
				input.select();
		} },
			h("p", { id: `${id}-hint` }, t("login.sent", { email: address })),
			h("div", { class: "field" }, h("label", { for: id }, t("login.code")), input),
			h("div", { class: "field check" }, h("label", {}, own, " ", t("login.own-device")), h("p", { class: "hint" }, t("login.own-device-hint"))),
			problem,
			h("div", { class: "actions" }, button, again, !email && h("button", { type: "button", class: "plain", onclick: () => askAddress(address) }, t("login.other-address"))));
		fill(box, form);
		countDown(again, AGAIN_AFTER);
		input.focus();
	}

	async function attempt(problem, button, work) {
		problem.replaceChildren();
		try {
			await busy(button, work);
		} catch (error) {
			if (!(error instanceof Failure))
				throw error;
			fill(problem, failureBox(error));
			if (error.retryAfter)
				countDown(button, error.retryAfter);
		}
	}
}
