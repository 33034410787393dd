// What the page takes of three.js (MIT). three.min.js beside this file is built from it, by hand, in an empty folder:
//   npm install three@0.187 esbuild@0.28 && cp .../three-entry.js . &&
//   npx esbuild three-entry.js --bundle --minify --format=iife --global-name=THREE --target=es2022 \
//     --legal-comments=inline --outfile=three.min.js
export {
  AmbientLight, Box3, BufferAttribute, BufferGeometry, Color, CylinderGeometry, DirectionalLight, DoubleSide, FrontSide,
  Group, HemisphereLight, LineBasicMaterial, LineSegments, Mesh, MeshPhongMaterial, OrthographicCamera, Quaternion, Scene,
  SphereGeometry, Vector3, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/addons/controls/OrbitControls.js";
