/** The order of questions that may be under way at the same time: an answer loses to that of a later question. */
export class AnswerOrder {
  #asked = 0;
  #answered = 0;

  /**
   * Call it when the question is asked. Call what it returns when the answer arrives: false if a later question has
   * been answered already, so that this answer must be dropped.
   */
  ask(): () => boolean {
    this.#asked += 1;
    const question = this.#asked;
    return () => {
      if (question < this.#answered) return false;
      this.#answered = question;
      return true;
    };
  }
}
