import Projector
import Testing

@Suite struct PruneBoundTests {
    @Test func `whoever needs the most of the log holds it back`() {
        let needs = [PruneBound.Need(40, "a"), PruneBound.Need(25, "b"), PruneBound.Need(60, "c")]
        for (wanted, offset, heldBack) in [(20, 20, nil), (25, 25, nil), (26, 25, "b"), (100, 25, "b")] as [(Int64, Int64, String?)] {
            let bound = PruneBound(wanted: wanted, needs: needs)
            #expect(bound.offset == offset && bound.heldBack == heldBack)
        }
        #expect(PruneBound(wanted: 7, needs: []).offset == 7)
    }
}
