/**
 * The panel with a field for the token, which opens when the hub asks for a token.
 *
 * A token is a secret of the person who pastes it. It is stored only in the memory of this page, so it is gone when the
 * page is closed. It is sent only in a header, since URLs are written into histories and logs.
 */

/** The pause in typing after which the token is used. */
const TYPING_PAUSE_MS = 600;
/** The characters that a token may have (`token68`, RFC 9110, 11.2). The header allows no others. */
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
   * @param {HTMLElement} panel the element that holds the parts, except for `toggle`
   * @param {object} parts
   * @param {HTMLButtonElement} parts.toggle the button that opens and closes the panel
   * @param {HTMLElement} parts.why the element that shows why a token is needed; a live region
   * @param {HTMLFormElement} parts.form the form, which has a field named `token`
   * @param {HTMLButtonElement} parts.show the button that shows the contents of the field
   * @param {() => void} onChange called when the token has changed, or when the person sends the same token again
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

  /** The token, as it is sent in the header; empty if there is none. */
  get token() {
    return this.#token;
  }

  /**
   * Opens the panel and shows `why` a token is needed. The keyboard's focus stays if the person is typing elsewhere.
   */
  ask(why) {
    this.#say(why);
    this.#show(true);
    if (document.activeElement === document.body || this.#panel.contains(document.activeElement)) this.#field.focus();
    this.#panel.scrollIntoView({ block: "nearest" });
  }

  /** Removes the token, because it is not valid any more. */
  forget() {
    this.#token = this.#field.value = "";
    this.#mark();
  }

  /** Closes the panel if it asked for a token, because the hub has accepted the request. */
  settle() {
    if (this.#why.textContent === "") return;
    this.#say("");
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#show(false);
    if (hadFocus) this.#toggle.focus({ preventScroll: true });
  }

  /**
   * Takes the token from the field at once, without waiting for a pause in typing.
   *
   * @returns {boolean} true if the token has changed
   */
  take() {
    clearTimeout(this.#timer);
    // The text may have been copied with the header's name, or over the end of a line.
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
