const KEY = "portcullis-theme";

/** Light, dark, or as the system says (the default). */
class Theme {
  dark = $state(false);

  start(): void {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const chosen = (): string | null => localStorage.getItem(KEY);
    const apply = (): void => {
      this.dark = chosen() === null ? system.matches : chosen() === "dark";
      document.documentElement.dataset["theme"] = this.dark ? "dark" : "light";
    };
    system.addEventListener("change", apply);
    apply();
  }

  toggle(): void {
    const system = matchMedia("(prefers-color-scheme: dark)").matches;
    const next = !this.dark;
    // Going back to what the system says forgets the choice, so that it is followed again.
    if (next === system) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next ? "dark" : "light");
    this.dark = next;
    document.documentElement.dataset["theme"] = next ? "dark" : "light";
  }
}

export const theme = new Theme();
