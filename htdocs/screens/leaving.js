// For somebody who has asked for the deletion of their account: until then it can be cancelled, and the data downloaded.
import { open, whoAmI } from "../app.js";
import { download, request } from "../lib/api.js";
import { notify } from "../lib/dialog.js";
import { fill, h, icon } from "../lib/dom.js";
import { busy, failureBox } from "../lib/failure.js";
import { t } from "../lib/text.js";

export function leaving({ sentences }) {
	const problem = h("div", {});
	const act = async (button, work) => {
		fill(problem);
		try {
			await busy(button, work);
		} catch (error) {
			fill(problem, failureBox(error));
		}
	};
	return h("div", { class: "narrow" },
		h("h1", {}, t("leaving.title")),
		h("div", { class: "box warn" }, sentences.map((sentence) => h("p", {}, sentence)), h("p", {}, t("leaving.text"))),
		problem,
		h("div", { class: "actions" },
			h("button", { type: "button", class: "primary", onclick: (event) => act(event.currentTarget, async () => {
				await request("DELETE", "/api/v1/users/me/account-deletion");
				await whoAmI();
				notify(t("leaving.kept"));
				await open();
			}) }, t("profile.keep")),
			h("button", { type: "button", onclick: (event) => act(event.currentTarget, () => download("/me/export", {}, "okul.json")) },
				icon("download"), t("profile.download"))));
}
