// The liver in the interactive scene: what colours it, the cut through it, the segment that is picked. Data: see
// liver_pack.py. scene.js hands in its tools.
"use strict";
const Liver = (() => {
  const SHOWN = { usual: 0.6, plain: 0.85, picked: 0.96, faded: 0.13 };

  // Frames come as differences to the frame before.
  const restored = (bytes, count) => {
    const n = bytes.length / count;
    for (let i = n; i < bytes.length; i++) bytes[i] += bytes[i - n];
    return Array.from({ length: count }, (_, k) => bytes.subarray(k * n, (k + 1) * n));
  };

  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

  // A closed surface with one material for each segment or tumour, so that one of them can stand out.
  const body = (name, { head, arrays, positions }, look) => {
    const shape = new THREE.BufferGeometry();
    shape.setAttribute("position", new THREE.BufferAttribute(positions(arrays[`${name}_points`], head.grid), 3));
    const tint = new THREE.BufferAttribute(new Float32Array(arrays[`${name}_points`].length), 3);
    shape.setAttribute("color", tint);
    shape.setIndex(new THREE.BufferAttribute(new Uint32Array(arrays[`${name}_triangles`]), 1));
    shape.computeVertexNormals();
    const spans = head.liver.spans[name];
    spans.forEach(([, first, count], i) => shape.addGroup(3 * first, 3 * count, i));
    const looks = spans.map(() => new THREE.MeshPhongMaterial({ vertexColors: true, transparent: true, ...look }));
    const solid = new THREE.Mesh(shape, new THREE.MeshBasicMaterial({ side: THREE.DoubleSide })); // for rays only
    const number = (face) => spans.find(([, first, count]) => face >= first && face < first + count)[0];
    return { name, shape, tint, spans, looks, solid, number };
  };

  // Counts crossings of the clipped skin in the stencil: the cut shows only where it is inside the liver.
  const counters = (shape, planes) =>
    [[THREE.BackSide, 34055, -3], [THREE.FrontSide, 34056, -2]].map(([side, op, order]) => {
      const quiet = { depthWrite: false, depthTest: false, colorWrite: false, stencilWrite: true, stencilFunc: 519 };
      const ops = { stencilFail: op, stencilZFail: op, stencilZPass: op };
      const mesh = new THREE.Mesh(shape, new THREE.MeshBasicMaterial({ side, ...quiet, ...ops }));
      mesh.material.clippingPlanes = planes;
      mesh.renderOrder = order;
      return mesh;
    });

  const grid = ({ head, arrays }) => {
    const { origin, step, shape } = head.liver.volume;
    const slot = new Int32Array(arrays.grid_kept.length).fill(-1);
    let count = 0;
    arrays.grid_kept.forEach((kept, i) => kept && (slot[i] = count++));
    const stride = [1, shape[0], shape[0] * shape[1]];
    return { origin, step, shape, slot, stride };
  };

  const build = (kit) => {
    const { head, arrays, linear } = kit;
    const { quantities, frames } = head.liver;
    const skin = body("liver", kit, { depthWrite: false, shininess: 15, specular: 0x222222 });
    const tumour = arrays.tumour_points ? body("tumour", kit, { shininess: 15, specular: 0x222222 }) : null;
    const bodies = tumour ? [skin, tumour] : [skin];
    const groups = { Liver: new THREE.Group(), Cut: new THREE.Group() };
    const plane = new THREE.Plane(new THREE.Vector3(0, 0, -1), 0);
    const space = grid(kit);
    const films = {};
    for (const name of frames ? ["liver", "tumour", "grid"] : []) {
      if (arrays[`${name}_frames`]) films[name] = restored(arrays[`${name}_frames`], frames.times.length);
    }
    const state = { quantity: quantities[0], frame: frames ? frames.times.length - 1 : 0, axis: 2, place: null, picked: null };

    // Depth first, colour second: of the translucent skin only the nearest sheet is seen, whatever the drawing order.
    const depths = skin.spans.map(() => new THREE.MeshPhongMaterial({ transparent: true, colorWrite: false }));
    const depth = new THREE.Mesh(skin.shape, depths);
    const sheet = new THREE.Mesh(skin.shape, skin.looks);
    [depth.renderOrder, sheet.renderOrder] = [1, 2];
    groups.Liver.add(depth, sheet);
    if (tumour) {
      groups.Tumours = new THREE.Group();
      groups.Tumours.add(new THREE.Mesh(tumour.shape, tumour.looks));
    }
    const clipped = [...depths, ...bodies.flatMap((item) => item.looks)];
    if (arrays.border_points) {
      const lines = new THREE.BufferGeometry();
      lines.setAttribute("position", new THREE.BufferAttribute(kit.positions(arrays.border_points, head.grid), 3));
      lines.setIndex(new THREE.BufferAttribute(new Uint32Array(arrays.border_lines), 1));
      const look = new THREE.LineBasicMaterial({ color: 0x3f5a66, transparent: true, opacity: 0.7 });
      const edges = new THREE.LineSegments(lines, look);
      edges.renderOrder = 3;
      clipped.push(look);
      groups.Liver.add(edges);
    }

    const quad = new THREE.BufferGeometry();
    quad.setAttribute("position", new THREE.BufferAttribute(new Float32Array(12), 3));
    quad.setAttribute("uv", new THREE.BufferAttribute(new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]), 2));
    quad.setIndex([0, 1, 2, 0, 2, 3]);
    const stencil = { stencilWrite: true, stencilRef: 0, stencilFunc: 517, stencilFail: 7681, stencilZFail: 7681, stencilZPass: 7681 };
    const cap = new THREE.Mesh(quad, new THREE.MeshBasicMaterial({ side: THREE.DoubleSide, ...stencil }));
    cap.renderOrder = -1;
    cap.frustumCulled = false;
    groups.Cut.add(...counters(skin.shape, [plane]), cap);
    groups.Cut.visible = false;

    const bytes = (name) => {
      if (state.quantity.key === "segment") return arrays[`${name}_segment`];
      return frames && state.quantity.key === frames.key ? films[name][state.frame] : arrays[`${name}_${state.quantity.key}`];
    };

    const paint = () => {
      const { table, colours } = state.quantity;
      for (const { name, tint, looks, spans } of bodies) {
        looks.forEach((look, i) => {
          look.vertexColors = !colours;
          if (colours) look.color.set(name === "liver" ? (colours[spans[i][0] - 1] ?? "#a9b3bb") : "#1d2b36");
          else look.color.set(0xffffff);
          look.needsUpdate = true;
        });
        if (colours) continue;
        const light = table.map((colour) => colour.map(linear));
        bytes(name).forEach((byte, i) => tint.array.set(light[byte], 3 * i));
        tint.needsUpdate = true;
      }
      slice();
    };

    const paled = (colour, at) => {
      const numbers = state.picked && arrays[`grid_${state.picked.kind}`];
      return !numbers || numbers[at] === state.picked.number ? colour : colour.map((c) => 0.25 * c + 180);
    };

    // A picture of the cut (RGBA): the two grid layers next to it, mixed; pale outside what is picked.
    const mixed = ({ u, v, axis, low, part }) => {
      const { shape, slot, stride } = space;
      const [wide, high, values] = [shape[u], shape[v], bytes("grid")];
      const out = new Uint8Array(4 * wide * high);
      for (let i = 0; i < wide * high; i++) {
        const at = (i % wide) * stride[u] + Math.floor(i / wide) * stride[v] + low * stride[axis];
        let [a, b] = [slot[at], slot[at + stride[axis]]];
        if (a < 0 && b < 0) continue;
        [a, b] = [a < 0 ? b : a, b < 0 ? a : b];
        out.set(paled(state.quantity.table[Math.round(values[a] * (1 - part) + values[b] * part)], part < 0.5 ? a : b), 4 * i);
        out[4 * i + 3] = 255;
      }
      return out;
    };

    // The same for segments, ``fine`` times as fine: each point is of the segment that weighs most around it.
    const sorts = ({ u, v, axis, low, part }, fine) => {
      const { shape, slot, stride } = space;
      const tints = state.quantity.colours.map(rgb);
      const [wide, high] = [fine * shape[u], fine * shape[v]];
      const out = new Uint8Array(4 * wide * high);
      const place = (i, n) => Math.min(Math.max((i + 0.5) / fine - 0.5, 0), n - 1.001);
      for (let i = 0; i < wide * high; i++) {
        const [x, y] = [place(i % wide, shape[u]), place(Math.floor(i / wide), shape[v])];
        const start = Math.floor(x) * stride[u] + Math.floor(y) * stride[v] + low * stride[axis];
        const weight = new Float32Array(9);
        let [best, where] = [0, -1];
        for (let k = 0; k < 8; k++) {
          const [a, b, c] = [k & 1, (k >> 1) & 1, k >> 2];
          const at = slot[start + a * stride[u] + b * stride[v] + c * stride[axis]];
          if (at < 0) continue;
          const number = arrays.grid_segment[at];
          weight[number] += Math.abs(1 - a - (x % 1)) * Math.abs(1 - b - (y % 1)) * Math.abs(1 - c - part);
          if (where < 0 || weight[number] >= weight[best]) [best, where] = [number, at];
        }
        if (where < 0) continue;
        out.set(paled(tints[best - 1] ?? [169, 179, 187], where), 4 * i);
        out[4 * i + 3] = 255;
      }
      return out;
    };

    const slice = () => {
      if (state.place === null) return;
      const { axis, place, quantity } = state;
      const [u, v] = [0, 1, 2].filter((k) => k !== axis);
      const { origin, step, shape } = space;
      const [wide, high] = [shape[u], shape[v]];
      const layer = Math.min(Math.max((place - origin[axis]) / step, 0), shape[axis] - 1.001);
      const low = Math.floor(layer);
      const at = { u, v, axis, low, part: layer - low };
      const [fine, out] = quantity.colours ? [4, sorts(at, 4)] : [1, mixed(at)];
      cap.material.map?.dispose();
      const texture = new THREE.DataTexture(out, fine * wide, fine * high);
      texture.colorSpace = THREE.SRGBColorSpace;
      texture.magFilter = texture.minFilter = quantity.colours ? THREE.NearestFilter : THREE.LinearFilter;
      texture.needsUpdate = true;
      cap.material.map = texture;
      cap.material.needsUpdate = true;
      const corners = quad.attributes.position;
      [[0, 0], [1, 0], [1, 1], [0, 1]].forEach(([s, t], i) => {
        const point = [];
        point[axis] = place;
        point[u] = origin[u] + (s * wide - 0.5) * step;
        point[v] = origin[v] + (t * high - 0.5) * step;
        corners.setXYZ(i, ...point);
      });
      corners.needsUpdate = true;
      quad.computeBoundingSphere();
    };

    // What lies between the eye and the cut is taken away.
    const face = (camera, target) => {
      if (state.place === null) return;
      const toward = Math.sign(camera.position.getComponent(state.axis) - target.getComponent(state.axis)) || 1;
      plane.normal.set(0, 0, 0).setComponent(state.axis, -toward);
      plane.constant = toward * state.place;
    };

    const cut = (axis, place) => {
      [state.axis, state.place] = [axis, place];
      groups.Cut.visible = place !== null;
      for (const look of clipped) look.clippingPlanes = place === null ? null : [plane];
      slice();
    };

    const pick = (region) => {
      state.picked = region;
      slice();
      stress();
    };

    const stress = () => {
      const region = state.picked;
      for (const { name, spans, looks } of bodies) {
        const kind = name === "liver" ? "segment" : "tumour";
        const usual = name === "tumour" ? 0.9 : state.quantity.colours ? SHOWN.plain : SHOWN.usual;
        spans.forEach(([number], i) => {
          const mine = region && region.kind === kind && region.number === number;
          const side = mine ? THREE.DoubleSide : THREE.FrontSide; // what is picked shows from behind, too
          for (const look of name === "liver" ? [looks[i], depths[i]] : [looks[i]]) Object.assign(look, { side, needsUpdate: true });
          looks[i].opacity = !region || (kind === "tumour" && region.kind === "segment") ? usual : mine ? SHOWN.picked : SHOWN.faded;
          if (name === "liver") depths[i].visible = !region || mine;
        });
      }
    };

    // The segment or tumour under a ray: [kind, number], or null.
    const under = (ray) => {
      const kept = (hit) => state.place === null || plane.distanceToPoint(hit.point) >= 0;
      const first = (item) => ray.intersectObject(item.solid).find(kept);
      const outer = first(skin);
      if (!outer) return null;
      if (outer.face.normal.dot(ray.ray.direction) > 0 && state.place !== null) return onCut(ray.ray);
      const inner = tumour && groups.Tumours.visible ? first(tumour) : null;
      return inner ? ["tumour", tumour.number(inner.faceIndex)] : ["segment", skin.number(outer.faceIndex)];
    };

    const onCut = (ray) => {
      const point = ray.intersectPlane(plane, new THREE.Vector3());
      if (!point) return null;
      const steps = point.toArray().map((x, k) => Math.round((x - space.origin[k]) / space.step) * space.stride[k]);
      const place = space.slot[steps[0] + steps[1] + steps[2]] ?? -1;
      if (place < 0) return null;
      const inner = arrays.grid_tumour[place];
      return inner ? ["tumour", inner] : ["segment", arrays.grid_segment[place]];
    };

    const show = (key) => {
      state.quantity = quantities.find((item) => item.key === key);
      paint();
      stress();
    };
    const at = (frame) => {
      state.frame = frame;
      if (frames && state.quantity.key === frames.key) paint();
    };
    pick(null);
    paint();
    const range = (axis) => [1.5, space.shape[axis] - 2.5].map((i) => space.origin[axis] + i * space.step);
    return { groups, clipped, show, at, cut, face, pick, under, range, state };
  };

  return { build };
})();
