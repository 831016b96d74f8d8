// Files of a form: chosen, pasted or dropped, uploaded at once, each with its progress; the form then names them.
import { say } from "./words.js";

const CREATED = 201;

/** Let `form` take files. Returns `{ clear, count }`; the form fires `hub:files` when its list changes. */
export function startAttach(form) {
  const box = form.querySelector("[data-attach]");
  const list = box.querySelector("[data-attach-list]"), said = box.querySelector("[data-attach-said]");
  const most = Number(box.dataset.most), maxMb = Number(box.dataset.maxMb);
  const input = box.querySelector("input[type=file]");
  const uploads = new Set();
  let waiting = null;

  const changed = () => {
    list.hidden = list.children.length === 0;
    form.dispatchEvent(new CustomEvent("hub:files", { detail: { count: ready().length } }));
  };
  const ready = () => [...list.querySelectorAll("[name=staged]")];

  function add(files) {
    for (const file of files) {
      const line = newLine(file.name);
      if (list.querySelectorAll(".attach-item:not(.is-refused)").length > most) refuse(line, file.name, say("filesTooMany", { n: most }));
      else if (file.size === 0) refuse(line, file.name, say("fileEmpty"));
      else if (file.size > maxMb * 1024 * 1024) refuse(line, file.name, say("fileTooLarge", { mb: maxMb }));
      else send(line, file);
    }
    changed();
  }

  function newLine(name) {
    const line = box.querySelector("[data-attach-template]").content.firstElementChild.cloneNode(true);
    line.querySelector(".attach-name").textContent = name;
    line.querySelector("progress").setAttribute("aria-label", say("fileProgress", { name }));
    line.querySelector("button").setAttribute("aria-label", say("fileCancel", { name }));
    list.append(line);
    return line;
  }

  function send(line, file) {
    const request = new XMLHttpRequest(), body = new FormData();
    body.append("file", file);
    request.open("POST", box.dataset.url);
    request.setRequestHeader("HX-Request", "true");
    request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) line.querySelector("progress").value = Math.floor((100 * event.loaded) / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === CREATED) accept(line, JSON.parse(request.responseText));
      else if (request.status === 401) location.assign(request.getResponseHeader("HX-Redirect"));
      else refuse(line, file.name, plain(request) || say("fileLost"));
    });
    request.addEventListener("error", () => refuse(line, file.name, say("fileLost")));
    request.addEventListener("loadend", () => {
      uploads.delete(request);
      changed();
      goOn();
    });
    line.querySelector("button").onclick = () => {
      request.abort();
      remove(line);
    };
    uploads.add(request);
    request.send(body);
  }

  function plain(request) {
    return request.getResponseHeader("Content-Type")?.startsWith("text/plain") ? request.responseText : "";
  }

  function accept(line, stored) {
    line.classList.add("is-ready");
    line.querySelector("progress").remove();
    line.querySelector(".attach-name").textContent = stored.name;
    line.querySelector(".attach-size").textContent = stored.size;
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "staged", value: stored.id });
    line.append(field);
    if (stored.thumbnail) {
      const picture = document.createElement("img");
      Object.assign(picture, { src: stored.thumbnail, alt: "" });
      line.querySelector(".attach-face").replaceChildren(picture);
    }
    const button = line.querySelector("button");
    button.setAttribute("aria-label", say("fileRemove", { name: stored.name }));
    button.onclick = () => unstage(line, stored.remove);
    said.textContent = say("fileReady", { name: stored.name });
  }

  function unstage(line, url) {
    fetch(url, { method: "DELETE", headers: { "HX-Request": "true", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value } });
    remove(line);
  }

  function refuse(line, name, why) {
    line.classList.add("is-refused");
    line.querySelector("progress").remove();
    const words = line.querySelector(".attach-why");
    words.hidden = false;
    words.textContent = why;
    const button = line.querySelector("button");
    button.setAttribute("aria-label", say("fileRemove", { name }));
    button.onclick = () => remove(line);
    said.textContent = say("fileRefused", { name, why });
  }

  function remove(line) {
    const next = (line.nextElementSibling ?? line.previousElementSibling)?.querySelector("button") ?? input;
    line.remove();
    next.focus();
    changed();
  }

  /** A form that was sent too early goes as soon as its last upload has ended, unless one of them was refused. */
  function goOn() {
    if (!waiting || uploads.size) return;
    const { submitter } = waiting;
    waiting = null;
    if (!list.querySelector(".is-refused")) form.requestSubmit(submitter);
  }

  // What was uploaded before the form came back with something to mend.
  for (const button of list.querySelectorAll("[data-remove]")) button.onclick = () => unstage(button.closest("li"), button.dataset.remove);
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    add(files);
  });
  form.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    // A table copied from a spreadsheet comes as a picture too; its text is what is meant.
    if (!files.length || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    const time = new Date().toTimeString().slice(0, 8).replaceAll(":", ".");
    add(files.map((file) => file.name === "image.png" ? new File([file], say("screenshot", { time }), { type: file.type }) : file));
  });
  startDrop(form, add);
  form.addEventListener("submit", (event) => {
    if (!uploads.size) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting = { submitter: event.submitter };
    said.textContent = say("filesWait");
  }, { capture: true });

  return {
    clear() {
      list.replaceChildren();
      changed();
    },
    count: () => ready().length,
  };
}

/** Files dropped anywhere on the page go to the form: a near miss must not make the browser leave the page. */
function startDrop(form, add) {
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  let inside = 0;
  const show = (on) => form.classList.toggle("is-dropping", on);
  document.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    inside += 1;
    show(true);
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  document.addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    inside = Math.max(0, inside - 1);
    show(inside > 0);
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    inside = 0;
    show(false);
    add([...event.dataTransfer.files]);
  });
}
