// Taking a test. Each answer is saved as it is given; the time is that of the server.
import { get, request } from "../lib/api.js";
import { Answers } from "../lib/answers.js";
import { confirmDestruction, notify } from "../lib/dialog.js";
import { fill, h, icon } from "../lib/dom.js";
import { busy, failureBox, sentencesOf } from "../lib/failure.js";
import { guardLeaving } from "../lib/route.js";
import { clock, number, t } from "../lib/text.js";
import { ownImage } from "./courses.js";

const WARNINGS = [300, 60];	// seconds before the end
const ALL_KEY = "okul.take-all";

export async function take({ params, user }) {
	const sentAt = Date.now();
	const started = await request("POST", `/proficiency-tests/${params.id}/start`);
	const attempt = started.data;
	const test = await get(`/proficiency-tests/${params.id}`);
	// Half of the way of the request is the best guess of when the server read its clock.
	const offset = new Date(started.timestamp) - (sentAt + Date.now()) / 2;
	return new Taking({ test, attempt, user, offset }).element;
}

class Taking {
	constructor({ test, attempt, user, offset }) {
		Object.assign(this, { test, attempt, offset, at: 0, isOver: false });
		this.questions = attempt.questions;
		this.answers = new Answers(user.id, attempt);
		this.showsAll = localStorage.getItem(ALL_KEY) === "1";
		this.banner = h("div", { class: "banner", role: "alert" });
		this.problem = h("div", {});
		this.timer = h("strong", { class: "timer", role: "timer" });
		this.progress = h("span", {});
		this.overview = h("ol", { class: "overview", "aria-label": t("take.overview") });
		this.body = h("div", { class: "questions" });
		this.finish = h("button", { type: "button", onclick: () => this.submit() }, t("take.finish"));
		this.element = h("div", { class: "taking" },
			h("div", { class: "head" }, h("h1", {}, test.title),
				h("label", {}, h("input", { type: "checkbox", checked: this.showsAll, onchange: (event) => this.showAll(event.target.checked) }), " ", t("take.all-at-once"))),
			h("div", { class: "taking-bar" }, attempt.deadline && [h("span", {}, t("take.time-left")), this.timer], h("span", { class: "grow" }), this.progress),
			this.banner, this.overview, this.body, this.problem, h("div", { class: "actions" }, this.finish));
		this.answers.addEventListener("changed", () => this.refresh());
		this.answers.addEventListener("over", () => this.timeIsUp());
		this.draw();
		if (attempt.deadline)
			this.tick();
		guardLeaving(() => this.element.isConnected && this.answers.waitingCount > 0);
	}

	// ---- time

	secondsLeft() {
		return (new Date(this.attempt.deadline) - (Date.now() + this.offset)) / 1000;
	}

	tick() {
		if (this.isOver || (this.wasShown && !this.element.isConnected))
			return this.answers.end(false);
		this.wasShown ||= this.element.isConnected;
		const left = this.secondsLeft();
		this.timer.textContent = clock(left);
		this.timer.classList.toggle("soon", left <= WARNINGS[0]);
		const warning = WARNINGS.find((seconds) => left <= seconds && left > seconds - 2 && this.warned !== seconds);
		if (warning) {
			this.warned = warning;
			notify(t("take.soon", { n: warning / 60 }));
		}
		if (left <= 0)
			return this.timeIsUp();
		setTimeout(() => this.tick(), 500);
	}

	/** The server has ended the attempt, or does so now. What waits here may still arrive in its seconds of grace. */
	async timeIsUp() {
		if (this.isOver)
			return;
		this.isOver = true;
		for (const input of this.body.querySelectorAll("input"))
			input.disabled = true;
		this.finish.disabled = true;
		fill(this.banner, h("div", { class: "box warn" }, t("take.time-is-up")));
		await this.answers.flush().catch(() => {});
		const waiting = this.answers.waitingCount;
		await this.waitForResult(waiting);
	}

	/** The result has the id of the attempt, as soon as the server has closed it. */
	async waitForResult(lost) {
		for (let wait = 1; ; wait = Math.min(wait * 2, 15)) {
			try {
				const { result } = await get(`/proficiency-tests/${this.test.id}/status`);
				if (result?.resultId === this.attempt.id || (result && this.secondsLeft() < -10)) {
					this.answers.end(true);
					guardLeaving(null);
					location.replace(`#/results/${result.resultId}?ended=${lost ? "lost" : "saved"}`);
					return;
				}
			} catch (error) {
				fill(this.problem, h("div", { class: "box bad" }, sentencesOf(error)));
			}
			await new Promise((resolve) => setTimeout(resolve, wait * 1000));
			if (!this.element.isConnected)
				return;
		}
	}

	// ---- questions

	showAll(isAll) {
		this.showsAll = isAll;
		try {
			localStorage.setItem(ALL_KEY, isAll ? "1" : "0");
		} catch { /* not remembered */ }
		this.draw();
	}

	draw() {
		const shown = this.showsAll ? this.questions.map((question, i) => this.question(question, i)) : [this.question(this.questions[this.at], this.at), this.steps()];
		fill(this.body, shown);
		this.refresh();
	}

	steps() {
		const last = this.questions.length - 1;
		return h("div", { class: "actions" },
			h("button", { type: "button", disabled: this.at === 0, onclick: () => this.go(this.at - 1) }, icon("left"), t("take.previous")),
			h("button", { type: "button", disabled: this.at === last, class: this.at === last ? null : "primary", onclick: () => this.go(this.at + 1) }, t("take.next"), icon("right")));
	}

	go(at) {
		this.at = at;
		if (!this.showsAll)
			this.draw();
		this.body.querySelector(`#question-${at} legend`)?.focus();
		this.body.querySelector(`#question-${at}`)?.scrollIntoView({ block: "nearest" });
	}

	question(question, i) {
		return h("fieldset", { class: "question", id: `question-${i}`, disabled: this.isOver },
			h("legend", { tabindex: -1 }, h("span", { class: "hint" }, t("take.question-of", { i: i + 1, all: this.questions.length })), h("span", { class: "text" }, question.text)),
			media(question.mediaUrl),
			question.options.map((option) => h("label", { class: "option" },
				h("input", {
					type: "radio", name: question.id, value: option.id, checked: this.answers.get(question.id) === option.id,
					onchange: () => this.answers.set(question.id, option.id),
				}), h("span", { class: "text" }, option.text))),
			h("p", { class: "saved-state", "data-question": question.id }));
	}

	/** Shows for each question whether it is saved. */
	refresh() {
		for (const place of this.body.querySelectorAll(".saved-state")) {
			const state = this.answers.state(place.dataset.question);
			if (place.dataset.state !== state)
				fill(place, state === "saved" ? icon("check") : state === "waiting" ? icon("upload") : null, state === "none" ? "" : t(`take.${state}`));
			place.dataset.state = state;
		}
		fill(this.overview, this.questions.map((question, i) => {
			const state = this.answers.state(question.id);
			return h("li", {}, h("button", {
				type: "button", class: `place ${state}`, "aria-current": !this.showsAll && i === this.at ? "step" : null,
				"aria-label": `${t("take.question-of", { i: i + 1, all: this.questions.length })}: ${t(`take.${state}`)}`, onclick: () => this.go(i),
			}, number(i + 1)));
		}));
		this.finish.classList.toggle("primary", this.answers.count === this.questions.length);
		fill(this.progress, t("take.answered", { n: this.answers.count, all: this.questions.length }));
		if (this.isOver)
			return;
		const message = this.answers.isOffline && t("take.offline", { n: this.answers.waitingCount });
		if (this.banner.dataset.message !== String(message))
			fill(this.banner, message && h("div", { class: "box bad" }, icon("warning"), " ", message));
		this.banner.dataset.message = String(message);
	}

	// ---- the end

	async submit() {
		const open = this.questions.length - this.answers.count;
		if (this.answers.count === 0) {
			fill(this.problem, h("div", { class: "box bad", role: "alert" }, t("take.none")));
			return;
		}
		if (open > 0 && !(await confirmDestruction({ title: t("take.finish"), text: t("take.open", { n: open }), action: t("take.finish") })))
			return;
		fill(this.problem);
		try {
			const { data } = await busy(this.finish, async () => {
				await this.answers.flush();
				return request("POST", `/proficiency-tests/${this.test.id}/submit`, { body: { answers: this.answers.list() } });
			});
			this.isOver = true;
			this.answers.end(true);
			guardLeaving(null);
			location.replace(`#/results/${data.id}`);
		} catch (error) {
			if (error.status === 409)
				return this.timeIsUp();
			fill(this.problem, failureBox(error, () => this.submit()));
		}
	}
}

/** What belongs to a question: an image, a sound or a video of this site; a link where it lies elsewhere. */
export function media(url) {
	if (!url)
		return null;
	const address = new URL(url, document.baseURI);
	if (address.origin !== location.origin)
		return h("p", {}, h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, t("take.media-elsewhere", { host: address.host })));
	if (/\.(mp3|m4a)$/i.test(address.pathname))
		return h("audio", { controls: true, preload: "none", src: url });
	if (/\.(mp4|mov|webm)$/i.test(address.pathname))
		return h("video", { controls: true, preload: "none", src: url });
	return ownImage(url);
}
