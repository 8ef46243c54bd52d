// The answers of an open attempt: kept in this browser until the server has them.
import { request } from "./api.js";

const FIRST_WAIT = 1;	// seconds until a failed request is sent again; doubled each time
const LONGEST_WAIT = 15;

/**
 * The answers that wait are in localStorage under a key of that user and that attempt alone, so that a reload, a crash or another
 * tab loses none; session.js removes it at logout.
 */
export class Answers extends EventTarget {
	#key;
	#attempt;
	#saved;
	#waiting;
	#sending = null;
	#timer = null;
	#wait = FIRST_WAIT;
	#isEnded = false;

	/** @param {string} userId @param {{id: string, answers: {questionId: string, optionId: string}[]}} attempt */
	constructor(userId, attempt) {
		super();
		this.#attempt = attempt.id;
		this.#key = `okul.kept.${userId}.${attempt.id}`;
		this.#saved = new Map(attempt.answers.map(({ questionId, optionId }) => [questionId, optionId]));
		this.#waiting = new Map(Object.entries(readKept(this.#key)));
		this.isOffline = false;
		addEventListener("online", this.#sendSoon);
		if (this.#waiting.size)
			this.#send();
	}

	#sendSoon = () => {
		this.#wait = FIRST_WAIT;
		this.#send();
	};

	/** The chosen option of a question, or undefined. */
	get(questionId) {
		return this.#waiting.get(questionId) ?? this.#saved.get(questionId);
	}

	/** "none", "waiting" or "saved" */
	state(questionId) {
		return this.#waiting.has(questionId) ? "waiting" : this.#saved.has(questionId) ? "saved" : "none";
	}

	get count() {
		return new Set([...this.#saved.keys(), ...this.#waiting.keys()]).size;
	}

	get waitingCount() {
		return this.#waiting.size;
	}

	set(questionId, optionId) {
		this.#waiting.set(questionId, optionId);
		this.#keep();
		this.#changed();
		this.#send();
	}

	/** All answers as the API takes them. */
	list() {
		return [...new Map([...this.#saved, ...this.#waiting])].map(([questionId, optionId]) => ({ questionId, optionId }));
	}

	/** Sends what waits and returns when the server has all of it. Throws what request() throws. */
	async flush() {
		await this.#sending;
		await this.#sendAll();
	}

	async #sendAll() {
		while (this.#waiting.size) {
			const sent = new Map(this.#waiting);
			const { data } = await request("PATCH", `/proficiency-tests/attempts/${this.#attempt}`,
				{ body: { answers: [...sent].map(([questionId, optionId]) => ({ questionId, optionId })) } });
			// The response has what another tab saved, too.
			this.#saved = new Map(data.answers.map(({ questionId, optionId }) => [questionId, optionId]));
			for (const [questionId, optionId] of sent)
				if (this.#waiting.get(questionId) === optionId)
					this.#waiting.delete(questionId);
			this.#keep();
		}
	}

	/** One request at a time; a failed one is sent again, later and later. "over": the attempt has ended at the server. */
	async #send() {
		if (this.#sending || this.#isEnded)
			return;
		clearTimeout(this.#timer);
		let failure = null;
		this.#sending = this.#sendAll().catch((error) => (failure = error));
		await this.#sending;
		this.#sending = null;
		if (this.#isEnded)
			return;
		if (failure && [404, 409].includes(failure.status)) {
			this.dispatchEvent(new CustomEvent("over", { detail: failure }));
		} else if (failure) {
			this.isOffline = true;
			this.failure = failure;
			this.#timer = setTimeout(() => this.#send(), Math.max(this.#wait, failure.retryAfter ?? 0) * 1000);
			this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
		} else {
			this.isOffline = false;
			this.#wait = FIRST_WAIT;
			if (this.#waiting.size)
				this.#send();
		}
		this.#changed();
	}

	#keep() {
		try {
			if (this.#waiting.size)
				localStorage.setItem(this.#key, JSON.stringify(Object.fromEntries(this.#waiting)));
			else
				localStorage.removeItem(this.#key);
		} catch { /* a full or forbidden storage: the answers are in this page alone */ }
	}

	#changed() {
		this.dispatchEvent(new Event("changed"));
	}

	/** Stops sending. `isDone`: the server has the result, so nothing has to be kept. */
	end(isDone) {
		this.#isEnded = true;
		clearTimeout(this.#timer);
		removeEventListener("online", this.#sendSoon);
		if (isDone) {
			this.#waiting.clear();
			this.#keep();
		}
	}
}

function readKept(key) {
	try {
		return JSON.parse(localStorage.getItem(key)) ?? {};
	} catch {
		return {};
	}
}
