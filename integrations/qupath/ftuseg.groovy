/*
 * Finds functional tissue units in the open image with ftuseg, and adds them as annotations.
 *
 * In QuPath: open an image, open this file in the script editor, run it. If an annotation is selected, only its part
 * of the image is segmented. Without a window:
 *
 *     QuPath script --image slide.svs integrations/qupath/ftuseg.groovy
 *     QuPath script --project study.qpproj --save integrations/qupath/ftuseg.groovy
 *
 * What follows `--args` goes to `ftuseg segment` as it is: `--args "[--route,organ=kidney]"`.
 * For QuPath 0.5 and newer. README.md beside this file tells more.
 */
import com.google.gson.Gson
import groovy.transform.Field
import java.nio.charset.StandardCharsets
import java.nio.file.Files
import java.nio.file.Path
import org.locationtech.jts.geom.Coordinate
import org.locationtech.jts.geom.Geometry
import org.locationtech.jts.geom.LinearRing
import org.slf4j.Logger
import org.slf4j.LoggerFactory
import qupath.fx.dialogs.Dialogs
import qupath.lib.common.ColorTools
import qupath.lib.common.GeneralTools
import qupath.lib.gui.QuPathGUI
import qupath.lib.images.servers.TransformingImageServer
import qupath.lib.images.writers.ome.OMEPyramidWriter
import qupath.lib.objects.PathObjects
import qupath.lib.objects.classes.PathClass
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.GeometryTools
import qupath.lib.roi.ROIs
import qupath.lib.scripting.QP

// ---------------------------------------------------------------------------------------------------- Settings

/** The program: its name where it is on the PATH, else the whole path, for example "/opt/ftuseg/bin/ftuseg". */
@Field String program = System.getenv('FTUSEG') ?: 'ftuseg'

/** Further options of `ftuseg segment`, word by word, for example ['--route', 'organ=kidney', '--tta', 'flips']. */
@Field List<String> options = []

/** Whether a selected annotation means: only this part. */
@Field boolean selectedOnly = true

/** Whether, of that part, only objects count whose middle lies inside the annotation itself, not only in its box. */
@Field boolean insideOnly = true

/** Whether the organ map is added, too: a locked annotation for each organ. */
@Field boolean organMap = true

/** Whether what an earlier run of this script added is removed first (within the part that is segmented). */
@Field boolean replace = true

/** A folder that keeps all results (mask, GeoJSON, overlay, records), each run in its own; '' keeps none. */
@Field String keepResults = System.getenv('FTUSEG_RESULTS') ?: ''

// --------------------------------------------------------------------------------------------------------------

/** What marks the annotations that come from here, in their metadata; the value is ftuseg's version. */
@Field static final String MARK = 'ftuseg'

/** Names and colours of the organ map; a test holds the colours against the program's. */
@Field static final Map<String, List> ORGANS = [
    kidney        : ['kidney', 0, 200, 0],
    prostate      : ['prostate', 255, 215, 0],
    largeintestine: ['large intestine', 0, 190, 255],
    spleen        : ['spleen', 255, 60, 0],
    lung          : ['lung', 255, 0, 200],
    baseline      : ['all organs (baseline)', 0, 255, 190],
    unet          : ['all organs (unet)', 150, 255, 0],
    other         : ['other tissue', 128, 128, 128],
]

@Field static final Logger log = LoggerFactory.getLogger('ftuseg')

/** Something that the user can mend: told in words, without a stack trace. */
class Trouble extends Exception {
    Trouble(String text) { super(text) }
}

/** The file holds another picture than QuPath shows (another series, say): QuPath's own px are to be taken. */
class OtherPicture extends Exception {
    OtherPicture(String text) { super(text) }
}

String[] given = binding.hasVariable('args') ? (binding.getVariable('args') ?: []) as String[] : [] as String[]
options = options + (given as List)
try {
    String told = segmentOpenImage()
    log.info(told)
    if (hasWindow()) Dialogs.showInfoNotification('ftuseg', told)
    return told
} catch (Trouble trouble) {
    log.error(trouble.message)
    if (!hasWindow()) throw new RuntimeException(trouble.message)   // `QuPath script` then ends with an error
    Dialogs.showErrorMessage('ftuseg', trouble.message)
}

boolean hasWindow() { QuPathGUI.getInstance() != null }

String segmentOpenImage() {
    def imageData = QP.getCurrentImageData()
    if (imageData == null) throw new Trouble('There is no open image.')
    def server = imageData.getServer()
    if (!server.isRGB()) throw new Trouble('ftuseg segments stained slides in RGB; this image is none.')

    def selected = imageData.getHierarchy().getSelectionModel().getSelectedObject()
    def roi = selectedOnly && selected?.isAnnotation() && !selected.getMetadata().containsKey(MARK) ? selected.getROI() : null
    if (roi != null && !roi.isArea()) throw new Trouble('The selected annotation has no area. Select another one, or none.')
    def part = roi == null ? null : boxOf(roi, server)
    def plane = roi == null ? ImagePlane.getDefaultPlane() : roi.getImagePlane()

    Path scratch = Files.createTempDirectory('ftuseg-')
    Path results = keepResults.isEmpty() ? scratch : Files.createDirectories(Path.of(keepResults))
    try {
        def found = part == null ? segmentWhole(server, scratch, results) : segmentPart(server, part, plane, scratch, results)
        return addTo(imageData, found, roi, part, plane)
    } finally {
        scratch.toFile().deleteDir()
    }
}

// What is segmented: the image's file, or px that QuPath exports.

Map segmentWhole(server, Path scratch, Path results) {
    Path file = fileOf(server)
    if (file == null) {
        log.info('QuPath shows more than one plain file with one picture, or changes it, so that its px are exported first.')
    } else {
        try {
            return segmentFile(server, file, results)
        } catch (OtherPicture other) {
            log.info("{} So QuPath's px are exported first.", other.message)
        }
    }
    segmentPart(server, [0, 0, server.getWidth(), server.getHeight()], ImagePlane.getDefaultPlane(), scratch, results)
}

/** The file that holds just what QuPath shows, as far as QuPath tells. */
Path fileOf(server) {
    if (server instanceof TransformingImageServer || server.nZSlices() > 1 || server.nTimepoints() > 1) return null
    def series = server.getPath() =~ /--series,?\s*(-?\d+)/
    if (series.find() && series.group(1).toInteger() > 0) return null
    def uris = server.getURIs() as List
    if (uris.size() != 1) return null
    Path file = GeneralTools.toPath(uris[0])
    file != null && Files.isRegularFile(file) ? file : null
}

Map segmentFile(server, Path file, Path results) {
    def calibration = server.getPixelCalibration()
    // The file's own um/px count, unless somebody has set others in QuPath.
    boolean set = calibration.hasPixelSizeMicrons() && calibration != server.getOriginalMetadata()?.getPixelCalibration()
    def found = runProgram(server, file, results, set ? calibration : null)
    if (found.kind == 'no-resolution' && !set && calibration.hasPixelSizeMicrons()) {
        log.info('ftuseg finds no um/px in the file, so that QuPath\'s are taken.')
        found = runProgram(server, file, results, calibration)
    }
    orTrouble(found)
    def record = found.record
    if (record.width.toInteger() == server.getWidth() && record.height.toInteger() == server.getHeight()) return found
    // QuPath leaves out what OpenSlide says was not scanned; ftuseg's coordinates count from the whole slide.
    def bounds = record.bounds
    if (bounds && bounds.width.toInteger() == server.getWidth() && bounds.height.toInteger() == server.getHeight())
        return found + [dx: -bounds.x, dy: -bounds.y]
    throw new OtherPicture("${file.getFileName()} is ${record.width.toInteger()} x ${record.height.toInteger()} px " +
        "to ftuseg, and ${server.getWidth()} x ${server.getHeight()} px in QuPath.")
}

List<Integer> boxOf(roi, server) {
    int x = Math.max(0, Math.floor(roi.getBoundsX()) as int)
    int y = Math.max(0, Math.floor(roi.getBoundsY()) as int)
    int right = Math.min(server.getWidth(), Math.ceil(roi.getBoundsX() + roi.getBoundsWidth()) as int)
    int bottom = Math.min(server.getHeight(), Math.ceil(roi.getBoundsY() + roi.getBoundsHeight()) as int)
    if (right <= x || bottom <= y) throw new Trouble('The selected annotation lies outside the image.')
    [x, y, right - x, bottom - y]
}

Map segmentPart(server, List<Integer> part, ImagePlane plane, Path scratch, Path results) {
    def (x, y, width, height) = part
    if (!server.getPixelCalibration().hasPixelSizeMicrons() && !options.contains('--mpp'))
        throw new Trouble('The image has no pixel size. Set it in QuPath\'s Image tab, or give --mpp in the options.')
    // The file's name becomes the slide's id in the results.
    String name = server.getMetadata().getName().replaceFirst(/(\.ome)?\.[^.]*$/, '').replaceAll(/[^A-Za-z0-9._-]/, '_')
    Path file = scratch.resolve("${name}-x${x}-y${y}.ome.tif")
    log.info('{} x {} px are exported to {} ({} MB before compression)', width, height, file, Math.round(3e-6d * width * height))
    new OMEPyramidWriter.Builder(server)
        .region(x, y, width, height).zSlice(plane.getZ()).timePoint(plane.getT())
        .losslessCompression().tileSize(512).scaledDownsampling(4).parallelize()
        .build().writePyramid(file.toString())
    def found = orTrouble(runProgram(server, file, results, null))
    Files.delete(file)
    found + [dx: x as double, dy: y as double]
}

// The run.

/** Runs ftuseg on a file: its record and objects, or the kind of its failure and the reason. */
Map runProgram(server, Path file, Path results, calibration) {
    def command = [program, 'segment', file.toString(), '--out', Files.createTempDirectory(results, 'run-').toString(),
        '--write', keepResults.isEmpty() ? 'geojson' : 'all', '--json-log']
    if (calibration != null && !options.contains('--mpp')) {
        double across = calibration.getPixelWidthMicrons(), down = calibration.getPixelHeightMicrons()
        if (Math.abs(across / down - 1) > 0.01) throw new Trouble("The image's px are not square: ${across} x ${down} um.")
        command += ['--mpp', calibration.getAveragedPixelSizeMicrons().toString()]
    }
    command += options
    log.info('Runs {}', command.join(' '))
    Process process
    try {
        process = new ProcessBuilder(command as List<String>).start()
    } catch (IOException none) {
        throw new Trouble("${program} cannot be started (${none.message}). Name its whole path at the top of the script.")
    }
    process.getOutputStream().close()
    def complaints = Collections.synchronizedList([])
    def listener = Thread.start {
        process.getErrorStream().eachLine('UTF-8') { complaints.add(it); log.debug(it) }
    }
    Map ended = null
    try {
        def reader = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
        int told = 0
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (Thread.interrupted()) throw new Trouble('Stopped.')
            Map event = new Gson().fromJson(line, Map)
            switch (event.event) {
                case 'note': log.info(event.text); break
                case 'warning': log.warn(event.text); break
                case 'tiles':
                    int percent = event.planned > 0 ? 100 * event.inferred / event.planned : 0
                    if (percent >= told + 10) { told = percent; log.info('{} % of {} tiles', percent, event.planned.toInteger()) }
                    break
                case 'ended': ended = event.slide
            }
        }
        process.waitFor()
        listener.join()
    } catch (InterruptedException stopped) {
        throw new Trouble('Stopped.')
    } finally {
        process.destroy()   // SIGTERM, after which ftuseg leaves nothing half done
    }
    if (ended == null) throw new Trouble('ftuseg gave up: ' + (complaints ? complaints.takeRight(8).join('\n') : 'it said nothing'))
    if (ended.status == 'failed') return [kind: ended.kind, reason: ended.reason]
    Path out = Path.of(command[4]).toRealPath()
    Path folder = out.resolve(ended.folder as String).toRealPath()
    if (!folder.startsWith(out)) throw new Trouble("ftuseg's folder ${folder} lies outside of ${out}")
    def record = new Gson().fromJson(Files.readString(folder.resolve('slide.json')), Map)
    record.warnings.each { log.warn(it.text) }
    def shown = server.getPixelCalibration()
    if (record.mpp && shown.hasPixelSizeMicrons() && Math.abs(record.mpp.value / shown.getAveragedPixelSizeMicrons() - 1) > 0.01)
        log.warn('ftuseg took {} um/px, QuPath shows {}.', record.mpp.value, shown.getAveragedPixelSizeMicrons())
    def objects = folder.resolve('objects.geojson').toFile().withReader('UTF-8') { new Gson().fromJson(it, Map) }
    [record: record, objects: objects.features, dx: 0d, dy: 0d]
}

Map orTrouble(Map found) {
    if (found.kind) throw new Trouble(found.reason as String)
    found
}

// What is added to the image.

String addTo(imageData, Map found, roi, List<Integer> part, ImagePlane plane) {
    def hierarchy = imageData.getHierarchy()
    String version = found.record.made_by.version
    def units = found.objects.collect { unit(it, found.dx, found.dy, plane, version) }
    int all = units.size()
    if (roi != null && insideOnly)
        units = units.findAll { roi.contains(it.getROI().getCentroidX(), it.getROI().getCentroidY()) }
    def areas = organMap ? organAreas(found, plane, version) : []

    if (replace) {
        def old = hierarchy.getAnnotationObjects().findAll { isOurs(it, part, plane) }
        hierarchy.removeObjects(old, true)
        if (old) log.info('{} annotations of an earlier run were removed', old.size())
    }
    hierarchy.addObjects(areas + units)
    def counts = units.countBy { it.getPathClass().toString() }.sort().collect { name, n -> "${n} ${name}" }
    String text = counts ? counts.join(', ') : 'no functional tissue unit was found'
    if (units.size() < all) text += "; ${all - units.size()} more in the annotation's box, but not in it"
    int doubts = found.record.warnings.size()
    doubts == 0 ? text : "${text}; ${doubts} ${doubts == 1 ? 'warning' : 'warnings'}, see the log"
}

/** A feature of objects.geojson as an annotation: what PathIO.readObjects does, but see roiOf. */
def unit(Map feature, double dx, double dy, ImagePlane plane, String version) {
    def properties = feature.properties
    def (red, green, blue) = properties.classification.color.collect { it as int }
    def object = PathObjects.createAnnotationObject(roiOf(feature.geometry.coordinates, dx, dy, plane),
        PathClass.fromString(properties.classification.name as String, ColorTools.packRGB(red, green, blue)))
    // QuPath measures centroids itself, and those of a part would count from its corner.
    def measurements = properties.measurements.findAll { name, value -> !name.startsWith('Centroid') }
    measurements.each { name, value -> object.getMeasurementList().put(name as String, value as double) }
    object.getMetadata().put(MARK, version)
    ['organ', 'model', 'threshold'].each { key ->
        if (properties.metadata[key] != null) object.getMetadata().put(key, properties.metadata[key] as String)
    }
    object
}

/**
 * A polygon's rings as a ROI. QuPath 0.5 turns polygons without holes into java.awt.geom.Area, which cuts some of ours
 * (they follow the px's edges) into pieces, and then keeps only the largest piece: so they are made point by point.
 */
def roiOf(List rings, double dx, double dy, ImagePlane plane) {
    if (rings.size() == 1) {
        def points = rings[0].dropRight(1)   // GeoJSON repeats the first one
        return ROIs.createPolygonROI(points.collect { it[0] + dx } as double[], points.collect { it[1] + dy } as double[], plane)
    }
    def factory = GeometryTools.getDefaultFactory()
    def closed = rings.collect { ring ->
        factory.createLinearRing(ring.collect { new Coordinate(it[0] + dx, it[1] + dy) } as Coordinate[])
    }
    GeometryTools.geometryToROI(factory.createPolygon(closed[0], closed.tail() as LinearRing[]), plane)
}

boolean isOurs(object, List<Integer> part, ImagePlane plane) {
    if (!object.getMetadata().containsKey(MARK)) return false
    if (part == null) return true
    def roi = object.getROI()
    roi.getImagePlane() == plane &&
        roi.getCentroidX() >= part[0] && roi.getCentroidX() < part[0] + part[2] &&
        roi.getCentroidY() >= part[1] && roi.getCentroidY() < part[1] + part[3]
}

/** The organ map's cells as one locked annotation for each organ, with its share of the tissue and the confidence. */
List organAreas(Map found, ImagePlane plane, String version) {
    def map = found.record.organ_map
    double cell = map.cell_px
    map.legend.findAll { letter, organ -> organ != 'glass' }.collect { letter, organ ->
        def strips = []
        map.cells.eachWithIndex { row, y ->
            for (int x = 0, end; x < row.size(); x = end) {
                end = x + 1
                if (row[x] != letter) continue
                while (end < row.size() && row[end] == letter) end++
                double right = Math.min(end * cell, found.record.width), bottom = Math.min((y + 1) * cell, found.record.height)
                strips << GeometryTools.createRectangle(x * cell + found.dx, y * cell + found.dy, right - x * cell, bottom - y * cell)
            }
        }
        if (!strips) return null
        def (name, red, green, blue) = ORGANS.getOrDefault(organ, [organ, 128, 128, 128])
        def area = PathObjects.createAnnotationObject(roiOf(GeometryTools.union(strips), plane),
            PathClass.fromString("Organ: ${name}".toString(), ColorTools.packRGB(red, green, blue)))
        area.setLocked(true)
        area.getMetadata().put(MARK, version)
        def told = found.record.organs.find { it.organ == organ }
        if (told) {
            area.getMeasurementList().put('Share of tissue', told.share as double)
            area.getMeasurementList().put('Confidence', told.confidence as double)
        }
        area
    }.findAll { it != null }
}

/** The same care for what JTS has joined. */
def roiOf(Geometry geometry, ImagePlane plane) {
    if (geometry.getNumGeometries() > 1 || geometry.getNumInteriorRing() > 0) return GeometryTools.geometryToROI(geometry, plane)
    roiOf([geometry.getCoordinates().collect { [it.x, it.y] }], 0, 0, plane)
}
