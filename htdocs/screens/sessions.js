// Where the person is logged in.
import { whoAmI } from "../app.js";
import { get, request } from "../lib/api.js";
import { notify } from "../lib/dialog.js";
import { fill, h } from "../lib/dom.js";
import { busy, failureBox } from "../lib/failure.js";
import { forget } from "../lib/session.js";
import { t, time } from "../lib/text.js";

export async function sessions() {
	const box = h("div", {});
	fill(box, list(await get("/auth/sessions")));
	return [h("h1", {}, t("menu./sessions")), h("p", {}, t("sessions.text")), box];

	/** Ends sessions; `isLast`: the one of this browser is among them, which ends last. */
	async function end(ids, button, isLast) {
		try {
			await busy(button, async () => {
				for (const id of ids)
					await request("DELETE", `/auth/sessions/${id}`);
			});
			if (isLast) {
				forget();
				await whoAmI();
				location.hash = "#/";
			} else {
				fill(box, list(await get("/auth/sessions")));
			}
			notify(t("sessions.ended"));
		} catch (error) {
			box.append(failureBox(error));
		}
	}

	function list(all) {
		const others = all.filter((one) => !one.isCurrent).map((one) => one.id);
		return [
			h("ul", { class: "plain-list" }, all.map((one) => h("li", { class: "row-card" },
				h("div", {}, h("strong", {}, device(one.userAgent)), one.isCurrent && h("span", { class: "tag" }, t("sessions.this")),
					h("p", {}, t("sessions.used", { time: time(one.lastUsedAt), ip: one.ip ?? "–" })),
					h("p", { class: "hint" }, t("sessions.until", { time: time(one.expiresAt) }))),
				!one.isCurrent && h("button", { type: "button", onclick: (event) => end([one.id], event.currentTarget) }, t("sessions.end"))))),
			h("div", { class: "actions" },
				others.length > 0 && h("button", { type: "button", onclick: (event) => end(others, event.currentTarget) }, t("sessions.end-others")),
				h("button", {
					type: "button", class: "danger",
					onclick: (event) => end([...others, ...all.filter((one) => one.isCurrent).map((one) => one.id)], event.currentTarget, true),
				}, t("sessions.end-all"))),
		];
	}
}

/** "Firefox · Linux" of a User-Agent; the name of a program else. */
function device(agent) {
	const browser = /(Edg|OPR|Firefox|Chrome|Safari)\//.exec(agent ?? "")?.[1];
	const system = /(Android|iPhone|iPad|Windows|Mac OS X|Linux)/.exec(agent ?? "")?.[1];
	const names = { Edg: "Edge", OPR: "Opera", "Mac OS X": "macOS" };
	return [browser, system].filter(Boolean).map((name) => names[name] ?? name).join(" · ") || agent || t("sessions.unknown");
}
