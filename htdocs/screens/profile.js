// The profile of the person who is logged in, their data, and the end of their account.
import { open, whoAmI } from "../app.js";
import { download, request } from "../lib/api.js";
import { confirmDestruction, notify } from "../lib/dialog.js";
import { fill, h, icon } from "../lib/dom.js";
import { busy, failureBox } from "../lib/failure.js";
import { lineEditor, makeForm, sendChange } from "../lib/form.js";
import { guardLeaving } from "../lib/route.js";
import { shape } from "../lib/schema.js";
import { date, isChosen, t, useLanguage, valueLabel } from "../lib/text.js";

export async function profile() {
	const [{ data, etag }, fields] = await Promise.all([request("GET", "/me"), shape("UpdateMeProfileDto")]);
	const opened = { before: data, etag };
	const form = makeForm(fields, {
		values: data, first: ["name", "surname", "username", "language", "countryCode", "phoneNumber", "birthDate", "gender"],
		editors: { profilePhoto: lineEditor }, action: t("save"), isChange: true,
		submit: async (body) => {
			if (Object.keys(body).length === 0)
				return notify(t("nothing-changed"));
			if (await sendChange({ path: "/me", current: "/me", ...opened, body })) {
				if (body.language && isChosen())
					await useLanguage(body.language);
				notify(t("saved"));
			}
			const now = await request("GET", "/me");
			Object.assign(opened, { before: now.data, etag: now.etag });
			form.reset(now.data);
			await whoAmI();
		},
	});
	form.classList.add("wide-form");
	guardLeaving(() => form.isConnected && form.isDirty());
	return h("div", {},
		h("h1", {}, t("menu./profile")),
		h("dl", { class: "facts" },
			h("dt", {}, t("field.email")), h("dd", {}, data.email),
			h("dt", {}, t("field.role")), h("dd", {}, valueLabel(data.role)),
			h("dt", {}, t("profile.since")), h("dd", {}, date(data.createdAt))),
		form,
		h("section", {}, h("h2", {}, t("profile.data")), h("p", {}, t("profile.data-text")),
			h("button", { type: "button", onclick: (event) => busy(event.currentTarget, () => download("/me/export", {}, "okul.json")) }, icon("download"), t("profile.download"))),
		deletion());
}

/** The deletion of the account is asked for here; what follows, until then, is leaving.js. */
function deletion() {
	const problem = h("div", {});
	return h("section", {}, h("h2", {}, t("profile.end")), h("p", {}, t("profile.end-text")), problem,
		h("button", { type: "button", class: "danger", onclick: async (event) => {
			const button = event.currentTarget;
			if (!(await confirmDestruction({ title: t("profile.end"), text: t("profile.end-ask"), action: t("profile.end") })))
				return;
			try {
				await busy(button, () => request("POST", "/api/v1/users/me/account-deletion"));
				guardLeaving(null);
				await whoAmI();
				await open();
			} catch (error) {
				fill(problem, failureBox(error));
			}
		} }, icon("trash"), t("profile.end")));
}
