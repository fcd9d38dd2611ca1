// SPDX-License-Identifier: Apache-2.0
// Search in pages that are opened as files: browsers start no worker from file://, so its script runs
// in a hidden frame instead. Over http nothing changes.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(script) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.appendChild(this.frame);
      const inside = this.frame.contentWindow;
      const load = (url) => new Promise((done, failed) => {
        const tag = inside.document.createElement("script");
        Object.assign(tag, { src: url, onload: done, onerror: failed });
        inside.document.body.appendChild(tag);
      });
      inside.document.write("<!doctype html><body></body>");
      inside.document.close();
      inside.importScripts = (...urls) => urls.reduce((p, url) => p.then(() => load(url)), Promise.resolve());
      inside.postMessage = (data) => this.answer(data);
      this.ready = load(script);
    }
    answer(data) {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      if (this.onmessage) this.onmessage(event);
    }
    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
