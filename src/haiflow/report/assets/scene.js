// The interactive 3D scene of report.html. Data: see pack.py. Needs THREE (three.min.js) Liver
// (liver.js) and Controls (controls.js); without WebGL or
// DecompressionStream the static picture stays and a line says so.
"use strict";
(async () => {
  const stage = document.getElementById("stage");
  const source = document.getElementById("scene-data");
  if (!stage || !source) return;
  const still = document.getElementById("scene-still");
  const note = document.getElementById("scene-note");

  const unpack = async (text) => {
    const packed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = await new Response(stream).arrayBuffer();
    const size = new DataView(bytes).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, size)));
    const kinds = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array };
    const arrays = {};
    for (const [name, [kind, offset, length]] of Object.entries(head.arrays)) {
      arrays[name] = new kinds[kind](bytes, offset, length);
    }
    return { head, arrays };
  };

  const linear = (byte) => {
    const c = byte / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };

  const positions = (quantised, { origin, step }) => {
    const out = new Float32Array(quantised.length);
    for (let i = 0; i < out.length; i++) out[i] = origin[i % 3] + quantised[i] * step;
    return out;
  };

  const colours = (bytes, table) => {
    const out = new Float32Array(3 * bytes.length);
    bytes.forEach((byte, i) => {
      for (let k = 0; k < 3; k++) out[3 * i + k] = linear(table[byte][k]);
    });
    return out;
  };

  // A tube round a polyline: frames carried along without twist, a fan at each end.
  const tube = (points, radii, tints, sides) => {
    const n = points.length / 3;
    const at = (i) => new THREE.Vector3(points[3 * i], points[3 * i + 1], points[3 * i + 2]);
    const where = [], normals = [], tint = [], index = [];
    const put = (p, v, i) => {
      where.push(p.x, p.y, p.z);
      normals.push(v.x, v.y, v.z);
      tint.push(tints[3 * i], tints[3 * i + 1], tints[3 * i + 2]);
      return where.length / 3 - 1;
    };
    let across = null;
    const ends = [];
    for (let i = 0; i < n; i++) {
      const along = at(Math.min(i + 1, n - 1)).sub(at(Math.max(i - 1, 0))).normalize();
      if (!across) across = Math.abs(along.z) < 0.9 ? new THREE.Vector3(0, 0, 1) : new THREE.Vector3(1, 0, 0);
      across = across.clone().addScaledVector(along, -across.dot(along)).normalize();
      const other = new THREE.Vector3().crossVectors(along, across);
      const ring = [];
      for (let s = 0; s < sides; s++) {
        const angle = (2 * Math.PI * s) / sides;
        const v = across.clone().multiplyScalar(Math.cos(angle)).addScaledVector(other, Math.sin(angle));
        ring.push(put(at(i).addScaledVector(v, radii[i]), v, i));
      }
      if (i > 0) {
        const old = ring[0] - sides;
        for (let s = 0; s < sides; s++) {
          const t = (s + 1) % sides;
          index.push(old + s, old + t, ring[s], old + t, ring[t], ring[s]);
        }
      }
      if (i === 0 || i === n - 1) ends.push([ring, i, along.multiplyScalar(i === 0 ? -1 : 1)]);
    }
    for (const [ring, i, out] of ends) {
      const hub = put(at(i), out, i);
      const rim = ring.map((id) => put(new THREE.Vector3(where[3 * id], where[3 * id + 1], where[3 * id + 2]), out, i));
      for (let s = 0; s < sides; s++) {
        const [a, b] = [rim[s], rim[(s + 1) % sides]];
        index.push(hub, ...(i === 0 ? [b, a] : [a, b]));
      }
    }
    const shape = new THREE.BufferGeometry();
    shape.setAttribute("position", new THREE.BufferAttribute(new Float32Array(where), 3));
    shape.setAttribute("normal", new THREE.BufferAttribute(new Float32Array(normals), 3));
    shape.setAttribute("color", new THREE.BufferAttribute(new Float32Array(tint), 3));
    shape.setIndex(index);
    return shape;
  };

  const build = ({ head, arrays }) => {
    const layers = {};
    const layer = (name) => (layers[name] ??= new THREE.Group());
    const shiny = { vertexColors: true, specular: 0x333333, shininess: 30 };
    if (head.network) {
      const all = positions(arrays.curve_points, head.grid);
      const tint = colours(arrays.curve_colour, head.network.table);
      for (const [name, start, end] of head.network.curves) {
        const part = [all.subarray(3 * start, 3 * end), arrays.curve_radius.subarray(start, end)];
        const shape = tube(...part, tint.subarray(3 * start, 3 * end), 14);
        layer(name).add(new THREE.Mesh(shape, new THREE.MeshPhongMaterial(shiny)));
      }
      for (const [place, size] of head.network.faults) {
        const ball = new THREE.Mesh(new THREE.SphereGeometry(size, 24, 16), new THREE.MeshPhongMaterial({ color: 0xa3221b }));
        ball.position.set(...place);
        layer("Pump and catheter").add(ball);
      }
      if (head.network.pump) {
        const { centre, axis, radius, height } = head.network.pump;
        const turn = new THREE.Quaternion().setFromUnitVectors(new THREE.Vector3(0, 1, 0), new THREE.Vector3(...axis).normalize());
        for (const [r, h, shift, color] of [[1, 1, 0, 0xc3ccd3], [0.24, 0.3, 0.5, 0x8b98a2]]) {
          const shape = new THREE.CylinderGeometry(r * radius, r * radius, h * height, 64);
          const body = new THREE.Mesh(shape, new THREE.MeshPhongMaterial({ color, specular: 0x555555, shininess: 40 }));
          body.quaternion.copy(turn);
          body.position.set(...centre).addScaledVector(new THREE.Vector3(...axis).normalize(), shift * height);
          layer("Pump and catheter").add(body);
        }
      }
    }
    if (arrays.fine_points) {
      const lines = new THREE.BufferGeometry();
      lines.setAttribute("position", new THREE.BufferAttribute(positions(arrays.fine_points, head.grid), 3));
      lines.setAttribute("color", new THREE.BufferAttribute(colours(arrays.fine_colour, head.network.table), 3));
      lines.setIndex(new THREE.BufferAttribute(arrays.fine_lines, 1));
      layer("Fine arteries").add(new THREE.LineSegments(lines, new THREE.LineBasicMaterial({ vertexColors: true, transparent: true, opacity: 0.6 })));
    }
    return layers;
  };

  const start = ({ head, arrays }) => {
    const canvas = document.createElement("canvas");
    const renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true, stencil: true });
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${stage.dataset.label} Drag or use the arrow keys to turn it, plus and minus to zoom.`);
    const scene = new THREE.Scene();
    const layers = build({ head, arrays });
    const liver = head.liver ? Liver.build({ head, arrays, positions, linear }) : null;
    if (liver) {
      renderer.localClippingEnabled = true;
      scene.add(liver.groups.Cut);
      layers["Fine arteries"]?.children.forEach((lines) => liver.clipped.push(lines.material));
      layers.Liver = liver.groups.Liver;
      if (liver.groups.Tumours) layers.Tumours = liver.groups.Tumours;
    }
    scene.add(...Object.values(layers), new THREE.HemisphereLight(0xffffff, 0xc9d4da, 1.9));
    const lamp = new THREE.DirectionalLight(0xffffff, 1.7);
    const camera = new THREE.OrthographicCamera(-1, 1, 1, -1, -5, 5);
    camera.up.set(0, 0, 1);
    lamp.position.set(-0.3, 0.5, 1);
    camera.add(lamp);
    scene.add(camera);
    const controls = new THREE.OrbitControls(camera, canvas);
    const words = head.labels.map(([text, place, kind]) => {
      const word = document.createElement("span");
      word.textContent = text;
      word.className = `word ${kind}`;
      word.setAttribute("aria-hidden", "true");
      stage.append(word);
      const lifts = kind === "segment" ? [0, -24, 24, -44, 44] : [-20, 20, -42, 42];
      return { word, place: new THREE.Vector3(...place), lifts };
    });
    let half = head.views[0].half;
    let shown = true;
    const draw = () => {
      const { clientWidth: wide, clientHeight: high } = stage;
      camera.left = (-half * wide) / high;
      camera.right = -camera.left;
      [camera.top, camera.bottom] = [half, -half];
      camera.updateProjectionMatrix();
      liver?.face(camera, controls.target);
      renderer.render(scene, camera);
      const taken = [];
      for (const { word, place, lifts } of words) {
        const p = place.clone().project(camera);
        word.hidden = !(shown && Math.abs(p.x) < 0.99 && Math.abs(p.y) < 0.99);
        if (word.hidden) continue;
        const [x, half, tall] = [((p.x + 1) / 2) * wide, word.offsetWidth / 2 + 2, word.offsetHeight / 2];
        const free = (y) => taken.every(([u, v, a, b]) => Math.abs(x - u) > half + a || Math.abs(y - v) > tall + b);
        const middle = ((1 - p.y) / 2) * high;
        const lift = lifts.find((step) => free(middle + step)) ?? lifts[0];
        taken.push([x, middle + lift, half, tall]);
        word.style.transform = `translate(${x}px, ${middle + lift}px) translate(-50%, -50%)`;
      }
    };
    const look = ({ focus, direction, half: size }) => {
      half = size;
      camera.zoom = 1;
      controls.target.set(...focus);
      camera.position.set(...focus).addScaledVector(new THREE.Vector3(...direction).normalize(), 1);
      controls.update();
      draw();
    };
    const fit = () => {
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      renderer.setPixelRatio(ratio);
      renderer.setSize(stage.clientWidth, stage.clientHeight);
      draw();
    };
    canvas.addEventListener("keydown", (event) => {
      const turns = { ArrowLeft: [-0.12, 0], ArrowRight: [0.12, 0], ArrowUp: [0, 0.12], ArrowDown: [0, -0.12] };
      if (event.key in turns) {
        const [about, up] = turns[event.key];
        const offset = camera.position.clone().sub(controls.target).applyAxisAngle(new THREE.Vector3(0, 0, 1), about);
        const side = new THREE.Vector3().crossVectors(offset, camera.up).normalize();
        const tilted = offset.clone().applyAxisAngle(side, -up);
        camera.position.copy(controls.target).add(Math.abs(tilted.z) < 0.98 ? tilted : offset);
      } else if (event.key === "+" || event.key === "=") camera.zoom *= 1.15;
      else if (event.key === "-") camera.zoom /= 1.15;
      else return;
      event.preventDefault();
      controls.update();
      draw();
    });
    const tools = document.getElementById("scene-tools");
    const box = (text, change) => {
      const label = document.createElement("label");
      const input = document.createElement("input");
      input.type = "checkbox";
      input.checked = true;
      input.addEventListener("change", () => {
        change(input.checked);
        draw();
      });
      label.append(input, ` ${text}`);
      tools.append(label);
    };
    for (const [name, group] of Object.entries(layers)) box(name, (on) => (group.visible = on));
    box("Labels", (on) => (shown = on));
    for (const view of head.views) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = view.name;
      button.addEventListener("click", () => look(view));
      tools.append(button);
    }
    const choose = liver && Controls.start(liver, head, canvas, camera, draw);
    const reset = document.createElement("button");
    reset.type = "button";
    reset.textContent = "Reset view";
    reset.addEventListener("click", () => {
      choose?.(null);
      look(head.views[0]);
    });
    tools.append(reset);
    tools.hidden = false;
    stage.prepend(canvas);
    stage.hidden = false;
    still.classList.add("print-only");
    controls.addEventListener("change", draw);
    new ResizeObserver(fit).observe(stage);
    fit();
    look(head.views[0]);
    note.textContent = "Drag to turn, scroll to zoom, right-drag to move; arrow keys and + − work too. Click a segment for its figures; Escape clears.";
  };

  try {
    start(await unpack(source.textContent));
  } catch (error) {
    note.textContent = `The interactive scene needs WebGL and a current browser (${error.message}); the still picture shows the same.`;
  }
})();
