// A short, gentle sound for an alert; fetched by whoever wants it.

const NOTES_HZ = [587.33, 783.99];
const NOTE_S = 0.16;
const PEAK = 0.08; // of full loudness
const FADE_S = 0.45;

let context = null;

/** Play it; a browser may forbid sound until somebody has touched the page. */
export function chime() {
  if (!window.AudioContext || !navigator.userActivation?.hasBeenActive) return;
  context ??= new AudioContext();
  context.resume();
  NOTES_HZ.forEach((hertz, i) => {
    const [tone, loudness, start] = [context.createOscillator(), context.createGain(), context.currentTime + i * NOTE_S];
    tone.frequency.value = hertz;
    loudness.gain.setValueAtTime(0.0001, start);
    loudness.gain.exponentialRampToValueAtTime(PEAK, start + 0.03);
    loudness.gain.exponentialRampToValueAtTime(0.0001, start + FADE_S);
    tone.connect(loudness).connect(context.destination);
    tone.start(start);
    tone.stop(start + FADE_S);
  });
}
