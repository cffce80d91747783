import Foundation
import Testing

@testable import Definitions

/// Every name that MongoDB 6.0 has for an expression is supported, or refused with the reason.
@Suite struct VocabularyTests {
    /// Its manual's operators of expressions, groups and windows.
    private static let operators = """
        $abs $accumulator $acos $acosh $add $addToSet $allElementsTrue $and $anyElementTrue $arrayElemAt $arrayToObject $asin $asinh $atan
        $atan2 $atanh $avg $binarySize $bottom $bottomN $bsonSize $ceil $cmp $concat $concatArrays $cond $convert $cos $cosh $count
        $covariancePop $covarianceSamp $dateAdd $dateDiff $dateFromParts $dateFromString $dateSubtract $dateToParts $dateToString
        $dateTrunc $dayOfMonth $dayOfWeek $dayOfYear $degreesToRadians $denseRank $derivative $divide $documentNumber $eq $exp
        $expMovingAvg $filter $first $firstN $floor $function $getField $gt $gte $hour $ifNull $in $indexOfArray $indexOfBytes $indexOfCP
        $integral $isArray $isNumber $isoDayOfWeek $isoWeek $isoWeekYear $last $lastN $let $linearFill $literal $ln $locf $log $log10 $lt
        $lte $ltrim $map $max $maxN $mergeObjects $meta $min $minN $millisecond $minute $mod $month $multiply $ne $not $objectToArray $or
        $pow $push $radiansToDegrees $rand $range $rank $reduce $regexFind $regexFindAll $regexMatch $replaceOne $replaceAll $reverseArray
        $round $rtrim $sampleRate $second $setDifference $setEquals $setField $setIntersection $setIsSubset $setUnion $shift $size $sin
        $sinh $slice $sortArray $split $sqrt $stdDevPop $stdDevSamp $strcasecmp $strLenBytes $strLenCP $substr $substrBytes $substrCP
        $subtract $sum $switch $tan $tanh $toBool $toDate $toDecimal $toDouble $toInt $toLong $toObjectId $top $topN $toString $toLower
        $toUpper $trim $trunc $tsIncrement $tsSecond $type $unsetField $week $year $zip
        """.split { $0 == " " || $0 == "\n" }.map(String.init)

    private static let variables = ["NOW", "CLUSTER_TIME", "ROOT", "CURRENT", "REMOVE", "DESCEND", "PRUNE", "KEEP", "SEARCH_META"].map { "$$" + $0 }

    @Test func `no operator and no variable is left out`() {
        #expect(Self.operators.count == 164)
        for (names, vocabulary) in [(Self.operators, Vocabulary.expressionOperators), (Self.variables, Vocabulary.variables)] {
            for name in names { #expect(vocabulary.supported.contains(name) != (vocabulary.refused[name] != nil), "\(name)") }
            #expect(vocabulary.later.isEmpty)
        }
    }

    @Test func `the page says what is refused, and why`() throws {
        let page = try String(contentsOfFile: "\(root)/docs/models.md", encoding: .utf8)
        for vocabulary in [Vocabulary.expressionOperators, Vocabulary.variables, Vocabulary.updateOperators, Vocabulary.predicates] {
            for (reason, names) in Dictionary(grouping: vocabulary.refused.keys.sorted(), by: { vocabulary.refused[$0] ?? "" }) {
                let row = "| \(names.map { "`\($0)`" }.joined(separator: " ")) | \(reason) |"
                #expect(page.contains(row), "docs/models.md lacks \(row)")
            }
        }
    }
}
