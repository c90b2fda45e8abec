// What is wrong with a page for somebody who does not see it, sees little, or has no mouse. Put into pages by access.py.
"use strict";

const isSeen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;

function structure() {
  const problems = [];
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one h1");
  let level = 0;
  for (const h of document.querySelectorAll("h1,h2,h3,h4,h5,h6")) {
    const next = Number(h.tagName[1]);
    if (next > level + 1) problems.push(`h${next} after h${level}: ${h.textContent}`);
    if (!h.textContent.trim()) problems.push("an empty heading");
    level = next;
  }
  for (const f of document.querySelectorAll("input:not([type=hidden]),select,textarea")) {
    const label = [...(f.labels ?? [])].map((l) => [...l.childNodes].filter((n) => n !== f).map((n) => n.textContent).join("")).join("");
    if (!label.trim() && !f.ariaLabel) problems.push(`no label: ${f.name}`);
  }
  for (const c of document.querySelectorAll("a[href],button,summary")) {
    if (isSeen(c) && !c.textContent.trim() && !c.ariaLabel) problems.push(`no text: ${c.outerHTML}`);
  }
  for (const t of document.querySelectorAll("th")) if (!t.getAttribute("scope")) problems.push(`no scope: ${t.textContent}`);
  for (const s of document.querySelectorAll("svg")) {
    if (!(s.ariaHidden === "true" || (s.getAttribute("role") === "img" && s.ariaLabel))) problems.push("a picture without words");
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids)) if (ids.filter((i) => i === id).length > 1) problems.push(`twice: #${id}`);
  if (!document.documentElement.lang) problems.push("no language");
  if (!document.title.trim()) problems.push("no title");
  return problems;
}

// One banner, named navigation, one main, one footer, named regions, and nothing outside of them.
function landmarks(isSignedIn) {
  const problems = [];
  const wanted = isSignedIn ? { "body > header": 1, "body > main": 1, "body > footer": 1 } : { "body > main": 1 };
  for (const [selector, count] of Object.entries(wanted)) {
    const found = document.querySelectorAll(selector).length;
    if (found !== count) problems.push(`${found} times ${selector}`);
  }
  if (isSignedIn && !document.querySelector("header nav")) problems.push("no navigation");
  // A section without a name is none to a screen reader.
  for (const e of document.querySelectorAll("nav,[aria-labelledby],[role=region]")) {
    const by = e.getAttribute("aria-labelledby");
    const name = by ? document.getElementById(by)?.textContent : e.ariaLabel;
    if (!name?.trim()) problems.push(`no name: <${e.tagName.toLowerCase()} class="${e.className}">`);
  }
  for (const e of document.body.children) {
    if (!["HEADER", "MAIN", "FOOTER", "SCRIPT", "NOSCRIPT"].includes(e.tagName) && !e.matches("a.skip")) problems.push(`outside: ${e.tagName}`);
  }
  return problems;
}

// Colours as the browser computes them, by the formula of WCAG 2.
function parsed(colour) {
  const parts = colour.match(/[\d.]+/g).map(Number);
  return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
}
const over = (top, below, alpha) => top.map((c, i) => c * alpha + below[i] * (1 - alpha));
function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ratio(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}
// What is behind the content of an element. Where nothing is painted the browser paints its canvas.
function behind(element) {
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.push(parsed(getComputedStyle(e).backgroundColor));
  let rgb = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  for (const layer of layers.reverse()) rgb = over(layer.rgb, rgb, layer.alpha);
  return rgb;
}
function opacity(element) {
  let product = 1;
  for (let e = element; e; e = e.parentElement) product *= Number(getComputedStyle(e).opacity);
  return product;
}

// Every text: 4.5 to 1, large text 3 to 1 (WCAG 2 AA). What is disabled is exempt.
function contrast() {
  const worst = new Map();
  let count = 0;
  const judge = (element, style, colour, text) => {
    const background = behind(element);
    const { rgb, alpha } = parsed(colour);
    const found = ratio(over(rgb, background, alpha * opacity(element)), background);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    count += 1;
    const key = `${colour} on ${background.map(Math.round)}`;
    if (found < least && !worst.has(key)) worst.set(key, `${key} is ${found.toFixed(2)}: ${text.trim().slice(0, 40)}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !isSeen(element) || element.closest(".unseen,script,style,noscript,:disabled")) continue;
    const style = getComputedStyle(element);
    judge(element, style, element.closest("svg") ? style.fill : style.color, texts.currentNode.textContent);
  }
  for (const field of document.querySelectorAll("input:not([type=hidden],[type=checkbox]),select,textarea")) {
    if (!isSeen(field) || field.disabled) continue;
    judge(field, getComputedStyle(field), getComputedStyle(field).color, `in ${field.name}`);
    if (field.placeholder) judge(field, getComputedStyle(field), getComputedStyle(field, "::placeholder").color, field.placeholder);
  }
  return { count, problems: [...worst.values()] };
}

// Everything that can be reached must be reachable with the tabulator, and show that it was: each gets a number to be known by.
function reachable() {
  const all = [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex="0"]')]
    .filter((e) => isSeen(e) && !e.disabled);
  all.forEach((e, number) => { e.dataset.reach = number; });
  document.activeElement?.blur();
  window.scrollTo(0, 0);
  return all.map((e) => e.outerHTML.slice(0, 90));
}
function focused() {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e);
  const outline = parsed(style.outlineColor);
  const around = e.parentElement ? behind(e.parentElement) : behind(e);
  const box = e.getBoundingClientRect();
  return {
    number: Number(e.dataset.reach ?? -1),
    html: e.outerHTML.slice(0, 90),
    isOutlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    contrast: ratio(over(outline.rgb, around, outline.alpha), around),
    isInView: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth && box.width > 1 && box.height > 1,
  };
}
