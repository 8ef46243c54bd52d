// A message to the school.
import { get, pause, request } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { makeForm } from "../lib/form.js";
import { guardLeaving } from "../lib/route.js";
import { shape } from "../lib/schema.js";
import { language, t } from "../lib/text.js";

export async function contact({ user, query }) {
	const [fields, first] = await Promise.all([shape("CreateContactRequestDto"), stamp()]);
	let current = first;
	const form = makeForm(fields, {
		values: {
			fullName: [user?.name, user?.surname].filter(Boolean).join(" ") || undefined, email: user?.email, subject: query.get("subject") ?? undefined,
			language: language(),
		},
		// `website` is for robots, `source` and `stamp` come from this page.
		first: ["fullName", "email", "phoneNumber", "subject", "message"], skip: ["website", "source", "stamp"],
		action: t("contact.send"),
		submit: async (body) => {
			if (Date.now() > current.until)
				current = await stamp();
			// A person who types faster than that pastes; the request then waits a moment.
			await pause(Math.max(0, (current.from - Date.now()) / 1000));
			await request("POST", "/contact", { body: { ...body, source: "web app", stamp: current.stamp } });
			guardLeaving(null);
			fill(box, h("h1", {}, t("contact.thanks")), h("p", {}, t("contact.thanks-text", { email: body.email })), h("p", {}, h("a", { href: "#/" }, t("to-start"))));
			box.querySelector("h1").tabIndex = -1;
			box.querySelector("h1").focus();
		},
	});
	guardLeaving(() => form.isConnected && Boolean(form.values().message));
	const box = h("div", { class: "narrow" }, h("h1", {}, t("menu./contact")), h("p", {}, t("contact.text")), form);
	return box;
}

/** The stamp of the form, with its times in those of this browser. */
async function stamp() {
	const { data, timestamp } = await request("GET", "/contact/form", { anonymous: true });
	const offset = Date.now() - new Date(timestamp);
	return { stamp: data.stamp, from: new Date(data.notBefore).getTime() + offset, until: new Date(data.expiresAt).getTime() + offset };
}
