/**
 * The token: a field that opens when the hub asks for one.
 *
 * A token is a secret of whoever pastes it. It is kept in this page's memory and nowhere else, so it is gone with the page,
 * and it leaves in a header only: addresses are written into histories and logs.
 */

/** How long to let a person type before the token is used. */
const TYPING_PAUSE_MS = 600;
/** What a token may be made of (`token68`, RFC 9110, 11.2). Nothing else fits the header. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

export class TokenPanel {
  #panel;
  #toggle;
  #why;
  #field;
  #onChange;
  #token = "";
  #timer = 0;

  /**
   * @param {HTMLElement} panel holds the rest
   * @param {object} parts
   * @param {HTMLButtonElement} parts.toggle opens and closes it
   * @param {HTMLElement} parts.why where it is said why a token is wanted; a live region
   * @param {HTMLFormElement} parts.form with a field named `token`
   * @param {HTMLButtonElement} parts.show shows what the field holds
   * @param {() => void} onChange called when the token is another, or the same is to be tried again
   */
  constructor(panel, { toggle, why, form, show }, onChange) {
    this.#panel = panel;
    this.#toggle = toggle;
    this.#why = why;
    this.#field = form.elements.token;
    this.#onChange = onChange;
    toggle.addEventListener("click", () => {
      this.#show(panel.hidden);
      if (!panel.hidden) this.#field.focus();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.take();
      this.#onChange();
    });
    this.#field.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.take() && this.#onChange(), TYPING_PAUSE_MS);
    });
    show.addEventListener("click", () => {
      const isShown = this.#field.type === "password";
      this.#field.type = isShown ? "text" : "password";
      show.setAttribute("aria-pressed", String(isShown));
    });
  }

  /** As it goes into the header; may be empty. */
  get token() {
    return this.#token;
  }

  /** Opens the field and says what to do. Where somebody is typing, the keyboard stays. */
  ask(why) {
    this.#say(why);
    this.#show(true);
    if (document.activeElement === document.body || this.#panel.contains(document.activeElement)) this.#field.focus();
    this.#panel.scrollIntoView({ block: "nearest" });
  }

  /** The token is no good any more. */
  forget() {
    this.#token = this.#field.value = "";
    this.#mark();
  }

  /** What was asked for has come. */
  settle() {
    if (this.#why.textContent === "") return;
    this.#say("");
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#show(false);
    if (hadFocus) this.#toggle.focus({ preventScroll: true });
  }

  /**
   * Takes what the field holds, without waiting for the end of a pause.
   *
   * @returns {boolean} whether it is another token now
   */
  take() {
    clearTimeout(this.#timer);
    // Copied with the header's name, or over a line's end.
    const token = this.#field.value.replace(/^\s*(authorization:\s*)?bearer\s+/i, "").replace(/\s+/g, "");
    if (token !== "" && !TOKEN.test(token)) {
      this.#say("This is not a token: it holds characters that no token has. A token looks like eyJhbGciOi….");
      return false;
    }
    const isOther = token !== this.#token;
    this.#token = token;
    this.#mark();
    return isOther;
  }

  #show(isShown) {
    this.#panel.hidden = !isShown;
    this.#toggle.setAttribute("aria-expanded", String(isShown));
  }

  #say(why) {
    this.#why.textContent = why;
    this.#why.hidden = why === "";
  }

  #mark() {
    this.#toggle.classList.toggle("has-token", this.#token !== "");
  }
}
