import { expect, test } from "vitest";
import { bytes, duration, money } from "./format";

test.each([
  [0, "0 ms"],
  [0.2, "< 1 ms"],
  [820, "820 ms"],
  [4200, "4.2 s"],
  [59_990, "1 min"],
  [185_000, "3 min 5 s"],
  [7_800_000, "2 h 10 min"],
  [273_600_000, "3 d 4 h"],
])("%d ms are %s", (ms, text) => expect(duration(ms)).toBe(text));

test.each([
  [12, "12 B"],
  [2048, "2.0 KiB"],
  [32_807_780, "31 MiB"],
])("%d bytes are %s", (n, text) => expect(bytes(n)).toBe(text));

test.each([
  [0, "0.00"],
  [1234, "0.00123"],
  [250_000, "0.2500"],
  [3_000_000, "3.00"],
])("%d millionths are %s", (micros, text) => expect(money(micros)).toBe(text));
