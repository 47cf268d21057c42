// What this browser remembers of how somebody likes the page; without storage everything is as at first.

/** Whether something was switched on. */
export function recall(name) {
  try {
    return localStorage.getItem(`classpulse.${name}`) === "on";
  } catch {
    return false;
  }
}

export function remember(name, on) {
  try {
    if (on) localStorage.setItem(`classpulse.${name}`, "on");
    else localStorage.removeItem(`classpulse.${name}`);
  } catch {
    // A browser that keeps nothing shows the page all the same.
  }
}
