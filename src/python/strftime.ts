/** `time.strftime` in the C locale, of the local time. */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);

const padded = (value: number, length = 2, filler = '0') => String(value).padStart(length, filler);
const dayOfYear = (time: Date) =>
  Math.round(
    (Date.UTC(time.getFullYear(), time.getMonth(), time.getDate()) - Date.UTC(time.getFullYear(), 0, 1)) /
      86_400_000,
  ) + 1;

const DIRECTIVES: Readonly<Record<string, (time: Date) => string>> = {
  a: (time) => DAYS[time.getDay()]!.slice(0, 3),
  A: (time) => DAYS[time.getDay()]!,
  b: (time) => MONTHS[time.getMonth()]!.slice(0, 3),
  B: (time) => MONTHS[time.getMonth()]!,
  c: (time) => strftime('%a %b %e %H:%M:%S %Y', time),
  d: (time) => padded(time.getDate()),
  D: (time) => strftime('%m/%d/%y', time),
  e: (time) => padded(time.getDate(), 2, ' '),
  F: (time) => strftime('%Y-%m-%d', time),
  h: (time) => MONTHS[time.getMonth()]!.slice(0, 3),
  H: (time) => padded(time.getHours()),
  I: (time) => padded(time.getHours() % 12 === 0 ? 12 : time.getHours() % 12),
  j: (time) => padded(dayOfYear(time), 3),
  m: (time) => padded(time.getMonth() + 1),
  M: (time) => padded(time.getMinutes()),
  n: () => '\n',
  p: (time) => (time.getHours() < 12 ? 'AM' : 'PM'),
  R: (time) => strftime('%H:%M', time),
  s: (time) => String(Math.floor(time.getTime() / 1000)),
  S: (time) => padded(time.getSeconds()),
  t: () => '\t',
  T: (time) => strftime('%H:%M:%S', time),
  u: (time) => String(time.getDay() === 0 ? 7 : time.getDay()),
  U: (time) => padded(Math.floor((dayOfYear(time) + 6 - time.getDay()) / 7)),
  w: (time) => String(time.getDay()),
  W: (time) => padded(Math.floor((dayOfYear(time) + 6 - ((time.getDay() + 6) % 7)) / 7)),
  x: (time) => strftime('%m/%d/%y', time),
  X: (time) => strftime('%H:%M:%S', time),
  y: (time) => padded(time.getFullYear() % 100),
  Y: (time) => String(time.getFullYear()),
  z(time) {
    const minutes = -time.getTimezoneOffset();
    const ahead = Math.abs(minutes);
    return `${minutes < 0 ? '-' : '+'}${padded(Math.floor(ahead / 60))}${padded(ahead % 60)}`;
  },
  '%': () => '%',
};

/** Fills a format in; what is no directive stays as it is. */
export function strftime(format: string, time: Date): string {
  return format.replace(/%([\s\S])/g, (whole, letter: string) => DIRECTIVES[letter]?.(time) ?? whole);
}
