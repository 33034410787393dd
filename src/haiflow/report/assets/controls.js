// The controls of the liver in the interactive scene; their markup is in report.html.j2. ``view``: see liver.js.
"use strict";
const Controls = (() => {
  const AXES = { sagittal: 0, coronal: 1, axial: 2 };
  const $ = (id) => document.getElementById(id);

  const chooser = (view, { quantities }, draw) => {
    for (const { key, name } of quantities) {
      const option = document.createElement("option");
      [option.value, option.textContent] = [key, name];
      $("quantity").append(option);
    }
    const show = (key) => {
      $("quantity").value = key;
      for (const bar of document.querySelectorAll("[data-quantity]")) bar.toggleAttribute("hidden", bar.dataset.quantity !== key);
      view.show(key);
      draw();
    };
    $("quantity").addEventListener("change", () => show($("quantity").value));
    return show;
  };

  // Over time: moving the slider also chooses the quantity that was followed.
  const clock = (view, { frames }, show, draw) => {
    if (!frames) return;
    const [slider, said, play] = [$("time"), $("time-said"), $("play")];
    const last = frames.times.length - 1;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let timer = null;
    const tell = () => {
      const text = frames.times[slider.value];
      said.textContent = text;
      slider.setAttribute("aria-valuetext", text);
    };
    const go = (frame) => {
      slider.value = frame;
      tell();
      view.at(Number(slider.value));
      if (view.state.quantity.key !== frames.key) show(frames.key);
      draw();
    };
    const stop = () => {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
      said.setAttribute("aria-live", "polite");
    };
    const step = () => {
      if (Number(slider.value) >= last) stop();
      else go(Number(slider.value) + 1);
    };
    slider.max = last;
    slider.value = last;
    tell();
    slider.addEventListener("input", () => {
      stop();
      go(slider.value);
    });
    play.addEventListener("click", () => {
      if (timer !== null) return stop();
      play.textContent = "Pause";
      said.setAttribute("aria-live", "off");
      go(Number(slider.value) >= last ? 0 : slider.value);
      timer = setInterval(step, calm ? 1000 : 150);
    });
    $("time-tools").hidden = false;
  };

  const knife = (view, draw) => {
    const [on, which, place] = [$("cut"), $("cut-plane"), $("cut-place")];
    const change = () => {
      const axis = AXES[which.value];
      const [low, high] = view.range(axis);
      view.cut(axis, on.checked ? low + ((high - low) * place.value) / 100 : null);
      which.disabled = place.disabled = !on.checked;
      place.setAttribute("aria-valuetext", `${place.value} % of the way`);
      draw();
    };
    for (const item of [on, which]) item.addEventListener("change", change);
    place.addEventListener("input", change);
    change();
  };

  // The picked segment or tumour in words, beside the scene.
  const panel = (view, regions, draw) => {
    const [list, told] = [$("regions"), $("picked")];
    const hint = told.textContent;
    const buttons = regions.map((region) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = region.name;
      if (region.kind === "segment") button.setAttribute("aria-label", `Segment ${region.name}`);
      button.addEventListener("click", () => pick(view.state.picked === region ? null : region));
      list.append(button);
      return button;
    });
    const pick = (region) => {
      view.pick(region);
      buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(regions[i] === region)));
      told.textContent = region ? "" : hint;
      if (region) {
        const name = document.createElement("p");
        name.textContent = region.kind === "segment" ? `Segment ${region.name}` : region.name;
        const facts = document.createElement("dl");
        for (const [what, value] of region.facts) {
          const row = document.createElement("div");
          row.append(document.createElement("dt"), document.createElement("dd"));
          [row.children[0].textContent, row.children[1].textContent] = [what, value];
          facts.append(row);
        }
        told.append(name, facts);
      }
      draw();
    };
    $("scene-box").addEventListener("keydown", (event) => event.key === "Escape" && pick(null));
    pick(null);
    $("region-panel").hidden = !regions.length;
    return (found) => pick(found ? (regions.find(({ kind, number }) => kind === found[0] && number === found[1]) ?? null) : null);
  };

  // A click or tap that did not turn the scene.
  const touch = (view, choose, canvas, camera) => {
    let down = null;
    canvas.addEventListener("pointerdown", (event) => (down = event.isPrimary && event.button === 0 ? [event.clientX, event.clientY] : null));
    canvas.addEventListener("pointerup", (event) => {
      if (!down || Math.hypot(event.clientX - down[0], event.clientY - down[1]) > 5) return;
      const box = canvas.getBoundingClientRect();
      const place = [((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2];
      const ray = new THREE.Raycaster();
      ray.setFromCamera(new THREE.Vector2(...place), camera);
      choose(view.under(ray));
    });
  };

  const start = (view, head, canvas, camera, draw) => {
    const show = chooser(view, head.liver, draw);
    clock(view, head.liver, show, draw);
    knife(view, draw);
    const choose = panel(view, head.regions, draw);
    touch(view, choose, canvas, camera);
    $("liver-tools").hidden = false;
    return choose;
  };

  return { start };
})();
