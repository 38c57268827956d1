// Reads instances.ome.tif with the loader of Viv, which Vitessce and Avivator show images with.
//
//     node read_instances.mjs INSTANCES.ome.tif
//
// Checks that each smaller level is every second px of the one above. Prints one line of JSON: the channels' names, the side
// of a tile, and for each level its width, height, and how many px of each channel hold an object.

import { pathToFileURL } from "node:url";

import { DOMParser } from "@xmldom/xmldom";

// A browser has one.
globalThis.DOMParser = DOMParser;
const { loadOmeTiff } = await import("@vivjs/loaders");

const { data, metadata } = await loadOmeTiff(pathToFileURL(process.argv[2]).href);
const channels = metadata.Pixels.Channels.map((channel) => channel.Name);
const said = { channels, tile: data[0].tileSize, levels: [] };
let above = [];
for (const source of data) {
  if (source.dtype !== "Uint32") throw new Error(`labels of type ${source.dtype}`);
  const level = { width: 0, height: 0, counts: [] };
  const here = [];
  for (const c of channels.keys()) {
    const { data: labels, width, height } = await source.getRaster({ selection: { c, z: 0, t: 0 } });
    Object.assign(level, { width, height });
    level.counts.push(labels.filter((label) => label > 0).length);
    here.push({ labels, width });
    if (above[c]) {
      labels.forEach((label, at) => {
        const [x, y] = [at % width, Math.floor(at / width)];
        if (label !== above[c].labels[2 * y * above[c].width + 2 * x]) throw new Error(`px (${x}, ${y}) of channel ${c}`);
      });
    }
  }
  // A tile as Vitessce asks for it, the last one of the level.
  const [x, y] = [level.width, level.height].map((side) => Math.ceil(side / source.tileSize) - 1);
  const tile = await source.getTile({ x, y, selection: { c: 0, z: 0, t: 0 } });
  if (!(tile.width > 0 && tile.height > 0)) throw new Error(`no tile ${x}, ${y}`);
  said.levels.push(level);
  above = here;
}
console.log(JSON.stringify(said));
