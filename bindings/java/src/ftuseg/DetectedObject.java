package ftuseg;

/**
 * One object, in the order of the GeoJSON.
 *
 * @param id     its number on the slide, from 1, the same in every output
 * @param uuid   a name that is the same whenever this object is found again on a slide of this id
 * @param organ  which organ found it: its place among {@link Result#organs}
 * @param bounds the box around it, full-size px
 * @param areaPx its area, full-size px
 * @param rings  rings of its outline: the outer one, and one for each hole
 */
public record DetectedObject(long id, String uuid, int organ, Rect bounds, long areaPx, int rings) {}
