// Opens images as QuPath does, runs ftuseg.groovy on each, and prints the annotations that are there afterwards as JSON.
//     drive.groovy SCRIPT [{"image": "slide.tif", "select": [x, y, width, height], "shape": "ellipse", "mpp": [0.4, 0.4],
//                           "args": [], "runs": 1, "window": false, "rotate": false, "set": {"insideOnly": false}}, ...]
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import qupath.fx.dialogs.Dialogs
import qupath.lib.common.ColorTools
import qupath.lib.gui.QuPathGUI
import qupath.lib.images.ImageData
import qupath.lib.images.servers.ImageServerMetadata
import qupath.lib.images.servers.ImageServers
import qupath.lib.images.servers.RotatedImageServer
import qupath.lib.objects.PathObjects
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.ROIs
import qupath.lib.scripting.QP

String text = new File(args[0]).getText('UTF-8')
new JsonSlurper().parseText(args[1]).each { what ->
    def server = ImageServers.buildServer(new File(what.image).toURI())
    if (what.rotate) server = new RotatedImageServer(server, RotatedImageServer.Rotation.ROTATE_180)
    def imageData = new ImageData(server)
    if (what.mpp) imageData.updateServerMetadata(
        new ImageServerMetadata.Builder(server.getMetadata()).pixelSizeMicrons(what.mpp[0], what.mpp[1]).build())
    def hierarchy = imageData.getHierarchy()
    if (what.select) {
        def (x, y, width, height) = what.select.collect { it as double }
        def plane = ImagePlane.getDefaultPlane()
        def roi = what.shape == 'ellipse' ? ROIs.createEllipseROI(x, y, width, height, plane)
            : what.shape == 'line' ? ROIs.createLineROI(x, y, width, height, plane)
            : ROIs.createRectangleROI(x, y, width, height, plane)
        def annotation = PathObjects.createAnnotationObject(roi)
        hierarchy.addObject(annotation)
        hierarchy.getSelectionModel().setSelectedObject(annotation)
    }
    QP.open(imageData)
    QuPathGUI.open(what.window ?: false)
    Dialogs.SHOWN.clear()
    // Settings are changed as a user does it: in the lines at the script's top.
    String changed = text
    what.set?.each { name, value ->
        String before = changed
        changed = changed.replaceFirst(/(?m)^(@Field \S+ ${name} = ).*$/, '$1' + value)
        assert changed != before: "there is no setting ${name}"
    }
    def told = []
    String failure = null
    (what.runs ?: 1).times {
        try {
            told << new GroovyShell(this.class.classLoader, new Binding([args: (what.args ?: []) as String[]])).evaluate(changed, 'ftuseg.groovy')
        } catch (RuntimeException error) {
            if (!error.message) throw error
            failure = error.message
        }
    }
    println 'RESULT ' + JsonOutput.toJson([
        told: told*.toString(), failure: failure, shown: Dialogs.SHOWN,
        annotations: hierarchy.getAnnotationObjects().collect {
            def roi = it.getROI()
            def color = it.getPathClass()?.getColor()
            [
                class: it.getPathClass()?.toString(), locked: it.isLocked(), metadata: it.getMetadata(),
                color: color == null ? null : [ColorTools.red(color), ColorTools.green(color), ColorTools.blue(color)],
                box: [roi.getBoundsX(), roi.getBoundsY(), roi.getBoundsWidth(), roi.getBoundsHeight()],
                area: roi.getArea(), measurements: it.getMeasurementList().asMap(),
            ]
        },
    ])
}
