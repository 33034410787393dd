// What the page takes of three.js (MIT). three.min.js beside this file is built from it, by hand, in an empty folder:
//   npm install three@0.187 esbuild@0.28 && cp .../three-entry.js . &&
//   npx esbuild three-entry.js --bundle --minify --format=iife --global-name=THREE --target=es2022 \
//     --legal-comments=inline --outfile=three.min.js
export {
  AmbientLight, BackSide, Box3, BufferAttribute, BufferGeometry, Color, CylinderGeometry, DataTexture, DirectionalLight,
  DoubleSide, FrontSide, Group, HemisphereLight, LinearFilter, LineBasicMaterial, LineSegments, Mesh, MeshBasicMaterial,
  MeshPhongMaterial, NearestFilter, OrthographicCamera, Plane, Quaternion, Raycaster, Scene, SphereGeometry, SRGBColorSpace,
  Vector2, Vector3, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/addons/controls/OrbitControls.js";
